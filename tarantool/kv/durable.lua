-- Entries as they are on disk: what every answer is made of.
local inflight = require('kv.inflight')
local rules = require('kv.rules')

local durable = {}

-- Returns the live entry of the key, nil where there is none. `newest` is the tuple that the space has.
--
-- A tuple on disk may have expired while a write under way leaves one that lives: a touch, decided before the end came. Whether
-- the entry is gone is then known only when that write has settled, and it is returned as well, to be waited for. An answer now
-- that the entry is gone could be followed by one that it is there again, with nothing inserted between.
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
