-- Removes all entries whose keys begin with a prefix, step by step. A step is small, so that the store serves others
-- between two of them. Each removal is a change with a revision of its own.
local inflight = require('kv.inflight')
local listing = require('kv.listing')
local outcome = require('kv.outcome')
local revision = require('kv.revision')
local row = require('kv.row')
local rules = require('kv.rules')
local store = require('kv.store')

local KEY = row.KEY

-- One step is one transaction and blocks the store while it is made.
local MAX_ENTRIES = 64
-- The most entries that one step passes over, because they have expired.
local MAX_PASSED_OVER = 500

local removal = {}

-- Returns the removals of up to `count` entries behind the key `after`, and the key behind which to continue. nil where
-- no entry is left.
local function collect(prefix, count, after)
    local above = listing.after_prefix(prefix)
    local from, iterator = prefix, 'GE'
    if after ~= nil and after > prefix then
        from, iterator = after, 'GT'
    end
    local changes, passed_over, last = {}, 0, nil
    for _, tuple in box.space.kv.index.ordered:pairs(from, {iterator = iterator}) do
        local key = tuple[KEY]
        if above ~= nil and key >= above then
            return changes, nil
        end
        local live = rules.live(tuple)
        if live == nil then
            passed_over = passed_over + 1
            if passed_over == MAX_PASSED_OVER then
                return changes, key
            end
        elseif #changes == count then
            return changes, last
        else
            table.insert(changes, {key = key, before = tuple, live = live})
            last = key
        end
    end
    return changes, nil
end

-- Removes up to `limit` entries behind the key `after`, and no more than fit into a step. Entries that have expired are
-- left to kv/expiry.lua. Returns OK, how many were removed, and the key behind which to continue, nil where no entry
-- is left.
function removal.step(prefix, limit, after)
    local count = math.min(limit, MAX_ENTRIES)
    local deadline = inflight.deadline()
    while not revision.is_ready(count) do
        revision.wait(deadline)
    end
    local changes, continue = collect(prefix, count, after ~= nil and after or nil)
    for _, change in ipairs(changes) do
        change.revision = revision.take()
    end
    if #changes > 0 then
        store.write_all(changes)
    end
    return outcome.OK, #changes, continue
end

return removal
