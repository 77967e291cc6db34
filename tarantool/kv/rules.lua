-- What each operation requires of the existing entry, and what it makes of it. These are pure decisions. The caller
-- chooses whether they are about the space or about the durable data beneath it, and the caller writes.
local outcome = require('kv.outcome')
local row = require('kv.row')
local time = require('kv.time')

local OK, PRECONDITION_FAILED = outcome.OK, outcome.PRECONDITION_FAILED
local VERSION = row.VERSION

-- Ten years in seconds, the longest time to live of the API.
local MAX_TTL_S = 315360000
-- Above this, a Lua number no longer holds each millisecond exactly.
local MAX_TIME_MS = 2 ^ 53

local rules = {}

-- Every operation treats an expired entry as missing.
function rules.live(tuple)
    local expires_at = row.expires_at(tuple)
    if expires_at ~= nil and expires_at <= time.now_ms() then
        return nil
    end
    return tuple
end

-- The version of a missing entry is 0, which is never a revision.
function rules.version(live)
    return live ~= nil and live[VERSION] or 0
end

-- `if_match` is nil for no condition, '*' for any existing entry, or an array of versions.
local function matches(live, if_match)
    if if_match == nil or (if_match == '*' and live ~= nil) then
        return true
    elseif if_match ~= '*' and live ~= nil then
        local version = live[VERSION]
        for i = 1, #if_match do
            if if_match[i] == version then
                return true
            end
        end
    end
    return false
end

-- By operation: judge(live, if_match) returns OK where the operation may go ahead, or the outcome that refuses it.
local judge = {}
rules.judge = judge

function judge.get(live)
    return live ~= nil and OK or outcome.NOT_FOUND
end

function judge.insert(live)
    return live == nil and OK or outcome.EXISTS
end

function judge.update(live, if_match)
    if live == nil then
        return outcome.NOT_FOUND
    end
    return matches(live, if_match) and OK or PRECONDITION_FAILED
end

function judge.upsert(live, if_match)
    return matches(live, if_match) and OK or PRECONDITION_FAILED
end

-- An upsert that may only create.
function judge.create(live)
    return live == nil and OK or PRECONDITION_FAILED
end

judge.delete = judge.update
judge.touch = judge.update

-- `ttl_s` is in seconds. nil means for ever, 'keep' means the time that the entry has left, and {at} is an absolute
-- time in milliseconds since the epoch. An absolute time that has passed by this clock makes an entry that has
-- expired at once.
local function expires_at(ttl_s, live)
    if ttl_s == nil then
        return nil
    elseif ttl_s == 'keep' then
        return row.expires_at(live)
    elseif type(ttl_s) == 'table' then
        local at = ttl_s[1]
        if type(at) ~= 'number' or at % 1 ~= 0 or at < 1 or at > MAX_TIME_MS then
            box.error(box.error.ILLEGAL_PARAMS, 'an end in milliseconds since the epoch')
        end
        return at
    elseif type(ttl_s) ~= 'number' or not (ttl_s > 0 and ttl_s <= MAX_TTL_S) then
        box.error(box.error.ILLEGAL_PARAMS, ('a ttl in seconds, above 0 and up to %d'):format(MAX_TTL_S))
    end
    return time.now_ms() + math.ceil(ttl_s * 1000)
end

-- The row that a value makes, and when it expires.
function rules.row(key, value, version, ttl_s, live)
    local at = expires_at(ttl_s, live)
    return row.new(key, value, version, at), at
end

-- The row with another expiry time, and when it expires.
function rules.touched(live, ttl_s)
    local at = expires_at(ttl_s, live)
    return row.with_end(live, at), at
end

return rules
