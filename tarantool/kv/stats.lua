-- The figures of the store, for the metrics of the service. To read them costs the same however much the store holds.
local changes = require('kv.changes')
local reserve = require('kv.reserve')
local retries = require('kv.retries')
local revision = require('kv.revision')
local time = require('kv.time')

-- Positions in kv_expiry.
local EXPIRES_AT = 1

local stats = {
    -- Up to so many entries that have expired and are not removed yet are counted.
    max_expired = 1000,
}

-- Returns how many entries have expired and are not removed yet, and for how long the first of them has been expired.
local function backlog()
    local now_ms = time.now_ms()
    local count, late_ms = 0, 0
    for _, ending in box.space.kv_expiry:pairs() do
        local expires_at = tonumber(ending[EXPIRES_AT])
        if expires_at > now_ms or count == stats.max_expired then
            break
        end
        late_ms = math.max(late_ms, now_ms - expires_at)
        count = count + 1
    end
    return count, late_ms
end

local function flag(condition)
    return condition and 1 or 0
end

-- Returns a map of whole numbers. Names that end with _ms are in milliseconds.
function stats.read()
    local memory, log, records = box.slab.info(), changes.stats(), retries.stats()
    local expired, expired_ms = backlog()
    return {
        writable = flag(not box.info.ro),
        memory_used = tonumber(memory.arena_used),
        memory_limit = tonumber(memory.quota_size),
        memory_full = flag(reserve.is_lent()),
        entries = box.space.kv:len(),
        entries_bytes = tonumber(box.space.kv:bsize()),
        expiring = box.space.kv_expiry:len(),
        expired = expired,
        expired_ms = math.floor(expired_ms),
        revision = revision.newest(),
        changes = log.count,
        changes_bytes = log.bytes,
        changes_limit = log.limit,
        changes_oldest = log.oldest,
        retries = records.count,
        retries_bytes = records.bytes,
        retries_limit = records.limit,
        tokens = box.space.kv_tokens:len(),
    }
end

return stats
