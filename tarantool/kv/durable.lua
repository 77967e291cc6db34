-- Entries as they are on disk. Every answer is made from these.
local inflight = require('kv.inflight')
local rules = require('kv.rules')

local durable = {}

-- Returns the live entry of the key, or nil where there is none. `newest` is the tuple that the space holds.
--
-- A tuple on disk may have expired while a write in flight leaves a live one: a touch that was decided before the
-- entry expired. Only when that write has settled is it known whether the entry is gone. So the write is returned as
-- well, and the caller waits for it. An answer now that the entry is gone could be followed by an answer that it
-- exists, with no insert between.
function durable.entry(key, newest)
    local write = inflight.of(key)
    if write == nil then
        return rules.live(newest)
    end
    local entry = rules.live(write.durable)
    if entry == nil and write.durable ~= nil and inflight.leads_to(write, newest, rules.live) then
        return nil, write
    end
    return entry
end

return durable
