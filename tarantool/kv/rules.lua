-- What each operation asks of the entry that is there, and what it makes of it. Pure decisions: whether they are about the space
-- or about the durable data beneath it is the caller's business, and so is the writing.
local outcome = require('kv.outcome')
local row = require('kv.row')
local time = require('kv.time')

local OK, PRECONDITION_FAILED = outcome.OK, outcome.PRECONDITION_FAILED
local VERSION = row.VERSION

-- Ten years of seconds, the most that the API takes.
local MAX_TTL_S = 315360000
-- Beyond it a number no longer counts milliseconds one by one.
local MAX_TIME_MS = 2 ^ 53

local rules = {}

-- An expired entry is no entry, whoever asks.
function rules.live(tuple)
    local expires_at = row.expires_at(tuple)
    if expires_at ~= nil and expires_at <= time.now_ms() then
        return nil
    end
    return tuple
end

-- The version that a missing entry has is 0, which no revision is.
function rules.version(live)
    return live ~= nil and live[VERSION] or 0
end

-- nil asks nothing, '*' for any entry, and an array for one of its versions.
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

-- By operation: judge(live, if_match) returns OK where it may go ahead, or the outcome that refuses it.
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

-- An upsert that only creates.
function judge.create(live)
    return live == nil and OK or PRECONDITION_FAILED
end

judge.delete = judge.update
judge.touch = judge.update

-- `ttl_s` is in seconds; nil is for ever, 'keep' leaves what the entry has, and {at} is an absolute end, in milliseconds
-- since the epoch. One that is past by this clock makes an entry that is gone at once.
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

-- The row with another end and otherwise as it is, and when it expires.
function rules.touched(live, ttl_s)
    local at = expires_at(ttl_s, live)
    return row.with_end(live, at), at
end

return rules
