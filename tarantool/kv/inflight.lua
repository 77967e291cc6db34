-- Keeps track of writes whose log record is not on disk yet. Without MVCC, which Tarantool 2.6 does not have, other
-- fibers already see such a write, although it may still be rolled back. For each key with a write in flight this
-- module remembers the durable tuple, so that every answer can rest on durable data: a reader gets that tuple, and a
-- refusal that the durable tuple does not justify waits.
-- A write on top of a write in flight need not wait: the log keeps the order, and when one write fails, all later
-- ones fail with it. The module does not know of writes that do not go through `run` (from a console, by
-- replication).
local fiber = require('fiber')
local table_new = require('table.new')

-- Long for a disk, and shorter than the service's timeout of a call.
local WAIT_SECONDS = 1

local inflight = {}

-- By key: {durable, begun, ended, settled, cond, [turn] = the tuple that the write of that turn leaves}, or false when
-- all writes have settled. `settled` is the last turn that reached the disk. Settled keys are removed many at a time. If
-- each key were removed as the next one is added, Lua would rehash the table again and again (10 us a write, measured
-- with 512 writers).
local SETTLED_AT_MOST = 4096
local writes = table_new(0, 2 * SETTLED_AT_MOST)
local added = 0
-- The removals in flight: {key, at}, each at the position `at`.
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

-- Returns the writes in flight on the key, or nil where there are none and the space holds durable data.
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
        write = {durable = before, begun = 1, ended = 0, settled = 0, cond = nil}
        writes[key] = write
    else
        -- The tuple that this write replaces is the one that the write before it leaves. It is needed only if that
        -- one reaches the disk first.
        write[write.begun] = before
        write.begun = write.begun + 1
    end
    return write
end

-- The writes of one key reach the disk in their order, so their fibers continue in that order.
local function settle(key, write, turn, ok)
    assert(write.ended < write.begun, 'a write ends once')
    write.ended = write.ended + 1
    if ok then
        assert(turn > write.settled, 'writes of one key reach the disk in their order')
        write.settled = turn
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

-- Removes a removal from the list. The last one moves into its place.
local function end_removal(removal)
    assert(removals[removal.at] == removal, 'a removal is where it says')
    local last = table.remove(removals)
    if last ~= removal then
        removals[removal.at] = last
        last.at = removal.at
    end
end

local function is_removal(before, after)
    return after == nil and before ~= nil
end

-- Runs change(argument), which turns `before`, the tuple that the key has now, into `after`. nil means no tuple.
-- Nothing may yield between the decision to write and this call.
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

-- The same for changes of several keys in one transaction: an array of {key, before, after}, with each key once.
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

-- The durable tuples that are missing in the space because their removal is in flight, in no particular order.
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

-- Whether one of the tuples that the writes in flight on the key leave, up to the first removal, satisfies
-- is_wanted(tuple). `newest` is the tuple in the space, which the last write leaves.
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

-- The time at which a wait that begins now gives up.
function inflight.deadline()
    return fiber.clock() + WAIT_SECONDS
end

-- Waits until some write on the key has settled. If the waiting fiber is cancelled, this throws and leaves nothing
-- behind.
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
