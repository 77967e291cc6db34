-- The writes whose log record is not on disk yet. Without MVCC (Tarantool 2.6 has none) another fiber sees such a write, and
-- it may still be rolled back. For each key that has one this remembers the durable tuple beneath, so that every answer can be
-- about durable data: a reader takes that tuple, and a refusal that it does not bear out waits.
-- A write that goes ahead on top of one in flight need not wait: the log keeps order, and one failure takes all later with it.
-- Of writes by other ways than `run` (a console, replication) it knows nothing.
local fiber = require('fiber')
local table_new = require('table.new')

-- Long for a disk, and less than the time after which the service gives a call up.
local WAIT_SECONDS = 1

local inflight = {}

-- By key: {durable, begun, ended, cond, [turn] = the tuple that the write of that turn leaves}; false when all have settled.
-- Settled keys are cleared away many at a time: a table from which each key is removed as the next one comes is rehashed over
-- and over (measured with 512 writers: 10 us a write).
local SETTLED_AT_MOST = 4096
local writes = table_new(0, 2 * SETTLED_AT_MOST)
local added = 0
-- The removals of tuples that are under way: {key, at}, each at the position `at`.
local removals = {}

local function clear_settled()
    local unsettled = table_new(0, 2 * SETTLED_AT_MOST)
    for key, write in pairs(writes) do
        if write then
            unsettled[key] = write
        end
    end
    writes = unsettled
    added = 0
end

-- nil when nothing is in flight on the key: `durable` is then what the space holds.
function inflight.of(key)
    return writes[key] or nil
end

local function begin(key, before)
    local write = writes[key]
    if not write then
        if write == nil then
            if added == SETTLED_AT_MOST then
                clear_settled()
            end
            added = added + 1
        end
        write = {durable = before, begun = 1, ended = 0, cond = nil}
        writes[key] = write
    else
        -- What this one finds is what the one before it leaves: needed only if that one reaches the disk first.
        write[write.begun] = before
        write.begun = write.begun + 1
    end
    return write
end

-- Writes of one key reach the disk in their order, and so their fibers run on in that order.
local function settle(key, write, turn, ok)
    write.ended = write.ended + 1
    if ok then
        write.durable = write[turn]
    end
    write[turn] = nil
    if write.ended == write.begun then
        writes[key] = false
    end
    if write.cond ~= nil then
        write.cond:broadcast()
    end
end

local function begin_removal(key)
    local removal = {key = key, at = #removals + 1}
    removals[removal.at] = removal
    return removal
end

-- The last one moves into its place.
local function end_removal(removal)
    local last = table.remove(removals)
    if last ~= removal then
        removals[removal.at] = last
        last.at = removal.at
    end
end

local function is_removal(before, after)
    return after == nil and before ~= nil
end

-- Runs change(argument), which makes `after` of `before`, the tuple that the key has now; nil is none. Nothing may yield between
-- the decision to write and this.
function inflight.run(key, before, after, change, argument)
    local removal = is_removal(before, after) and begin_removal(key)
    local write = begin(key, before)
    local turn = write.begun
    local ok, problem = pcall(change, argument)
    if removal then
        end_removal(removal)
    end
    settle(key, write, turn, ok)
    if not ok then
        error(problem, 0)
    end
end

-- The same for changes of several keys by one transaction: an array of {key, before, after}, each key once.
function inflight.run_all(changes, commit)
    local begun = {}
    for i, change in ipairs(changes) do
        local write = begin(change.key, change.before)
        local removal = is_removal(change.before, change.after) and begin_removal(change.key)
        begun[i] = {write = write, turn = write.begun, removal = removal}
    end
    local ok, problem = pcall(commit, changes)
    for i, change in ipairs(changes) do
        if begun[i].removal then
            end_removal(begun[i].removal)
        end
        settle(change.key, begun[i].write, begun[i].turn, ok)
    end
    if not ok then
        error(problem, 0)
    end
end

-- The durable tuples which the space does not have any more, because of removals under way. In no order.
function inflight.removed()
    local tuples, seen = {}, {}
    for i = 1, #removals do
        local key = removals[i].key
        if not seen[key] then
            seen[key] = true
            local write = writes[key]
            if write and write.durable ~= nil and box.space.kv:get(key) == nil then
                table.insert(tuples, write.durable)
            end
        end
    end
    return tuples
end

-- Whether some tuple that the unsettled writes of the key leave, one after the other up to the first removal, satisfies
-- is_wanted(tuple). `newest` is the tuple that the space has, which the last of them leaves.
function inflight.leads_to(write, newest, is_wanted)
    for turn = write.ended + 1, write.begun do
        local left = newest
        if turn < write.begun then
            left = write[turn]
        end
        if left == nil then
            return false
        elseif is_wanted(left) then
            return true
        end
    end
    return false
end

-- When a wait that begins now gives up.
function inflight.deadline()
    return fiber.clock() + WAIT_SECONDS
end

-- Waits until some write on the key has settled. A fiber that is cancelled here is thrown out and leaves nothing behind.
function inflight.wait(write, deadline)
    write.cond = write.cond or fiber.cond()
    local seconds = deadline - fiber.clock()
    if seconds <= 0 or not write.cond:wait(seconds) then
        box.error({
            code = box.error.WAL_IO,
            reason = 'Nothing was written: an earlier write of this key has not reached the disk',
        })
    end
end

return inflight
