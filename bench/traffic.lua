-- What wrk sends. P is written above this by wrk.mjs:
--   P.get, P.write   a request: method, and path and body as {before the key, after the key}
--   P.pick           one, uniform or zipf of the loaded entries; fresh or absent
--   P.reads          the part of requests that are GETs
--   P.entries        how many entries are loaded
--   P.run            a number of its own for each run, so that fresh keys are
local bit = require('bit')

local ZIPF_EXPONENT = 0.99
-- Relatively prime to every number of entries that we load, so that popular entries are not neighbours in the store.
local SCATTER = 48271
local DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
local JSON = {['Content-Type'] = 'application/json'}

local threads = 0
function setup(thread)
    thread:set('thread_id', threads)
    threads = threads + 1
end

local function base64(text)
    local out = {}
    for i = 1, #text, 3 do
        local a, b, c = text:byte(i, i + 2)
        local word = a * 65536 + (b or 0) * 256 + (c or 0)
        for j = 0, 3 do
            local digit = bit.band(bit.rshift(word, 18 - 6 * j), 63) + 1
            local is_padding = j == 2 and not b or j == 3 and not c
            out[#out + 1] = is_padding and '=' or DIGITS:sub(digit, digit)
        end
    end
    return table.concat(out)
end

local function compile(template)
    local path, body = template.path, template.body
    return function(key)
        if P.keys_are_base64 then
            key = base64(key)
        end
        return wrk.format(
            template.method,
            path[2] and path[1] .. key .. path[2] or path[1],
            body and JSON,
            body and (body[2] and body[1] .. key .. body[2] or body[1])
        )
    end
end

local function key_at(index)
    return ('k%08d'):format(index)
end

local picks = {}

function picks.one()
    return function()
        return P.key
    end
end

function picks.absent()
    return function()
        return 'absent' .. math.random(1, 1000000)
    end
end

function picks.uniform()
    return function()
        return key_at(math.random(0, P.entries - 1))
    end
end

function picks.fresh()
    local prefix = ('f%d-%d-'):format(P.run, thread_id)
    local count = 0
    return function()
        count = count + 1
        return prefix .. count
    end
end

function picks.zipf()
    local sums, sum = {}, 0
    for rank = 1, P.entries do
        sum = sum + 1 / rank ^ ZIPF_EXPONENT
        sums[rank] = sum
    end
    return function()
        local wanted = math.random() * sum
        local low, high = 1, P.entries
        while low < high do
            local middle = math.floor((low + high) / 2)
            if sums[middle] < wanted then
                low = middle + 1
            else
                high = middle
            end
        end
        return key_at(low * SCATTER % P.entries)
    end
end

local get, write, pick

local function fixed(make)
    local bytes = make and make(P.key)
    return bytes and function()
        return bytes
    end
end

function init()
    math.randomseed(P.run * 1000 + thread_id)
    get = P.get and compile(P.get)
    write = P.write and compile(P.write)
    pick = picks[P.pick]()
    if P.pick == 'one' then
        get, write = fixed(get), fixed(write)
    end
end

function request()
    if P.reads == 1 or P.reads > 0 and math.random() < P.reads then
        return get(pick())
    end
    return write(pick())
end

-- wrk's own report is for people. wrk.mjs reads this line.
function done(summary, latency)
    local errors = summary.errors
    io.write(('{"requests":%d,"us":%d,"p50us":%d,"p99us":%d,"refused":%d,"broken":%d}\n'):format(
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.status, errors.connect + errors.read + errors.write + errors.timeout
    ))
end
