-- The operations on one entry. Each decides and writes in one transaction, and returns an outcome. What it throws is
-- a failure (read-only, disk full, malformed bytes), and then nothing was written.
-- Arguments that are nil or null count as absent. `value` is a string: the MessagePack of a map, stored unchanged.
-- `ttl_s` and `if_match` are described in kv/rules.lua. `version` is the version of the entry. `expires_at` is in
-- milliseconds since the epoch, and nil for an entry that does not expire. `retry` makes a write safe to repeat, and
-- adds the outcomes REPLAYED, REUSED, UNSETTLED and FULL: see kv/retries.lua.
local durable = require('kv.durable')
local inflight = require('kv.inflight')
local outcome = require('kv.outcome')
local retries = require('kv.retries')
local revision = require('kv.revision')
local row = require('kv.row')
local rules = require('kv.rules')
local store = require('kv.store')

local OK, NOT_FOUND, LARGE = outcome.OK, outcome.NOT_FOUND, outcome.LARGE
local SMALL_BYTES = require('kv.answer').SMALL_BYTES
local judge, live = rules.judge, rules.live
local once = retries.once
local NULL = box.NULL

local entries = {}

-- Decides whether an operation may go ahead. Returns OK, the live entry, and the tuple in the space, which is there
-- also where it has expired. A revision is then available, and the caller may write at once. Otherwise returns the
-- outcome that refuses, and the entry that it is about. A refusal is an answer, so it has to hold for durable data:
-- where only a write in flight stands in the way, it waits for that write, and decides again.
local function decide(key, may, if_match)
    local deadline
    while true do
        local present = box.space.kv:get(key)
        local entry = live(present)
        local verdict = may(entry, if_match)
        if verdict == OK then
            if revision.is_ready() then
                return OK, entry, present
            end
            deadline = deadline or inflight.deadline()
            revision.wait(deadline)
        else
            local write = inflight.of(key)
            if write == nil then
                return verdict, entry
            end
            local unsettled
            entry, unsettled = durable.entry(key, present)
            verdict = may(entry, if_match)
            if verdict ~= OK and unsettled == nil then
                return verdict, entry
            end
            deadline = deadline or inflight.deadline()
            inflight.wait(write, deadline)
        end
    end
end

local function refusal(verdict, entry)
    if verdict == NOT_FOUND then
        return verdict
    end
    return verdict, rules.version(entry)
end

-- The record of a write that can be repeated, nil for any other. All writes have answers of the same form here.
local function record(retry, version, expires_at, created)
    if retry ~= nil then
        return retries.record(retry, {OK, version, expires_at or NULL, created})
    end
end

local function put(key, entry, present, value, ttl_s, retry)
    local version = revision.take()
    local new, expires_at = rules.row(key, value, version, ttl_s, entry)
    store.write({
        key = key, revision = version, before = present, after = new, live = entry,
        record = record(retry, version, expires_at, entry == nil),
    })
    return OK, version, expires_at
end

local function insert(key, value, ttl_s, retry)
    local verdict, entry, present = decide(key, judge.insert)
    if verdict ~= OK then
        return refusal(verdict, entry)
    end
    return put(key, entry, present, value, ttl_s, retry)
end

-- Returns OK, version, expires_at; or EXISTS and the version of the existing entry.
function entries.insert(key, value, ttl_s, retry)
    return once(retry, insert, key, value, ttl_s, retry)
end

local function update(key, value, ttl_s, if_match, retry)
    local verdict, entry, present = decide(key, judge.update, if_match)
    if verdict ~= OK then
        return refusal(verdict, entry)
    end
    return put(key, entry, present, value, ttl_s, retry)
end

-- Returns OK, version, expires_at; or NOT_FOUND; or PRECONDITION_FAILED and the version of the existing entry.
function entries.update(key, value, ttl_s, if_match, retry)
    return once(retry, update, key, value, ttl_s, if_match, retry)
end

local function upsert(key, value, ttl_s, if_match, create_only, retry)
    local verdict, entry, present = decide(key, create_only == true and judge.create or judge.upsert, if_match)
    if verdict ~= OK then
        return refusal(verdict, entry)
    end
    local _, version, expires_at = put(key, entry, present, value, ttl_s, retry)
    return OK, version, expires_at, entry == nil
end

-- Returns OK, version, expires_at and whether the entry was created; or PRECONDITION_FAILED and the version of the
-- existing entry, 0 where there is none. With `create_only` any existing entry refuses.
function entries.upsert(key, value, ttl_s, if_match, create_only, retry)
    return once(retry, upsert, key, value, ttl_s, if_match, create_only, retry)
end

local function delete(key, if_match, retry)
    local verdict, entry, present = decide(key, judge.delete, if_match)
    if verdict ~= OK then
        return refusal(verdict, entry)
    end
    local version = revision.take()
    store.write({
        key = key, revision = version, before = present, live = entry, record = record(retry, version, nil, false),
    })
    return OK, version
end

-- Returns OK and the revision of the removal; or NOT_FOUND; or PRECONDITION_FAILED and the version of the existing
-- entry.
function entries.delete(key, if_match, retry)
    return once(retry, delete, key, if_match, retry)
end

local function touch(key, ttl_s, if_match, retry)
    local verdict, entry, present = decide(key, judge.touch, if_match)
    if verdict ~= OK then
        return refusal(verdict, entry)
    end
    local new, expires_at = rules.touched(entry, ttl_s)
    local version = entry[row.VERSION]
    store.write({
        key = key, revision = revision.take(), before = present, after = new, live = entry,
        record = record(retry, version, expires_at, false),
    })
    return OK, version, expires_at
end

-- Sets when the entry expires, or that it does not. The entry is not changed otherwise, so its version stays. In the
-- log of changes it takes a revision like every other change. Returns
-- OK, version, expires_at; or NOT_FOUND; or PRECONDITION_FAILED and the version of the existing entry.
function entries.touch(key, ttl_s, if_match, retry)
    return once(retry, touch, key, ttl_s, if_match, retry)
end

-- Returns OK and the tuple, undecoded; or NOT_FOUND; or, for a large entry unless it may be large, LARGE, its size
-- in bytes and its version. It waits only for a write that may have kept an expired entry alive, and throws where that does not
-- settle in time.
function entries.get(key, may_be_large)
    local entry, unsettled = durable.entry(key, box.space.kv:get(key))
    if unsettled ~= nil then
        local deadline = inflight.deadline()
        repeat
            inflight.wait(unsettled, deadline)
            entry, unsettled = durable.entry(key, box.space.kv:get(key))
        until unsettled == nil
    end
    if entry == nil then
        return NOT_FOUND
    end
    if may_be_large ~= true then
        local bytes = entry:bsize()
        if bytes > SMALL_BYTES then
            return LARGE, bytes, entry[row.VERSION]
        end
    end
    return OK, entry
end

return entries
