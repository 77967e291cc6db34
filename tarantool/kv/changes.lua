-- The log of changes: what every write, removal and expiry did to the entries, in the order of the log on disk. A
-- change is recorded in the transaction that makes it, so the log and the entries always fit each other.
--
-- A row is {revision, n, what, entry}. `n` numbers the changes of one revision. `entry` is the row of the entry that
-- the change leaves, undecoded, or {key} where it leaves none.
--
-- Readers see a change only when it is on disk. The mark is the newest revision of which that is known. Revisions are
-- in the order of the log on disk, and a write that fails takes all later ones with it, so one number is enough.
--
-- The oldest rows are removed where the log needs more memory than it may. The first row that is left is the boundary:
-- all changes behind its revision are held. A log that holds no change consists of a boundary alone.
local background = require('kv.background')
local fiber = require('fiber')
local reserve = require('kv.reserve')
local revision = require('kv.revision')
local outcome = require('kv.outcome')

-- Positions of the fields, and what a change does. The same numbers are defined for TypeScript in
-- src/store/positions.ts.
local REVISION, N = 1, 2
local INSERT, UPDATE, DELETE, EXPIRE = 1, 2, 3, 4
-- The boundary of a log that is new.
local BEGIN = 0

-- What a row needs beside its bytes: its tuple's header, and its place in the index.
local ROW_OVERHEAD_BYTES = 48
local TRIMMED_AT_ONCE = 128
-- While the memory of the store is full, the log gives up a part of itself, again and again.
local PART_GIVEN_UP = 1 / 2
local LENT_SECONDS = 1

local changes = {}

-- The bytes that the log may take. 0 means that there is no log.
local limit = 0
local mark = 0
local grown, moved = fiber.cond(), fiber.cond()

local function bytes_used()
    local space = box.space.kv_changes
    return tonumber(space:bsize()) + space:len() * ROW_OVERHEAD_BYTES
end

local function insert(n, change, what, entry)
    box.space.kv_changes:insert({change.revision, n, what, entry})
    return n + 1
end

-- Records a change {key, revision, before, after, live} as number `n` of its revision, within the transaction that
-- makes it. `live` is the entry that was there before, nil where it was missing or had expired. Returns the number of
-- the next change.
function changes.record(change, n)
    local live, after = change.live, change.after
    if live == nil and change.before ~= nil then
        n = insert(n, change, EXPIRE, {change.key})
    end
    if after ~= nil then
        n = insert(n, change, live == nil and INSERT or UPDATE, after)
    elseif live ~= nil then
        n = insert(n, change, DELETE, {change.key})
    end
    return n
end

function changes.is_on()
    return limit > 0
end

-- Tells that the changes of this revision, and so of all before it, are on disk. The fibers of writes continue in
-- the order of the log on disk.
function changes.settled(settled_revision)
    if limit == 0 then
        return
    end
    mark = math.max(mark, settled_revision)
    moved:broadcast()
    if bytes_used() > limit then
        grown:signal()
    end
end

-- What the log holds and may hold, in changes and bytes, and the revision behind which it holds every change.
function changes.stats()
    local space = box.space.kv_changes
    local first = space.index.primary:min()
    return {
        -- The boundary is no change.
        count = math.max(0, space:len() - 1), bytes = bytes_used(), limit = limit,
        oldest = first ~= nil and tonumber(first[REVISION]) or 0,
    }
end

-- The newest revision whose changes are known to be on disk, nil where there is no log.
function changes.mark()
    if limit > 0 then
        return mark
    end
end

-- Whether all changes behind this revision are held.
local function is_held(after)
    return after <= mark and after >= tonumber(box.space.kv_changes.index.primary:min()[REVISION])
end

-- Returns the rows behind the revision `after`, up to the mark, and the revision behind which to continue. All rows of
-- one revision come together, so a page may be larger than max_bytes. It is empty where max_bytes is 0.
local function page(after, max_bytes)
    local rows, bytes, last = {}, 0, after
    if max_bytes == 0 then
        return rows, last
    end
    for _, row in box.space.kv_changes:pairs({after + 1}, {iterator = 'GE'}) do
        local at = tonumber(row[REVISION])
        if at > mark then
            break
        end
        bytes = bytes + row:bsize()
        if bytes > max_bytes and at ~= last and #rows > 0 then
            return rows, last
        end
        table.insert(rows, row)
        last = at
    end
    return rows, mark
end

-- Returns OK, the revision behind which to continue, the mark, and the rows behind the revision `after`. Where there
-- are none it waits for up to `timeout_ms`. Returns GONE and the mark where changes behind `after` are no longer held,
-- or where `after` was never reached; or OFF where there is no log.
function changes.read(after, max_bytes, timeout_ms)
    local deadline = fiber.clock() + (timeout_ms or 0) / 1000
    while true do
        if limit == 0 then
            return outcome.OFF
        elseif not is_held(after) then
            return outcome.GONE, mark
        end
        local seconds = deadline - fiber.clock()
        if mark > after or seconds <= 0 then
            local rows, last = page(after, max_bytes)
            return outcome.OK, last, mark, rows
        end
        moved:wait(seconds)
    end
end

-- Removes up to TRIMMED_AT_ONCE of the oldest rows, as far as the log is larger than `allowed`. The last row is kept,
-- because it tells the mark after a start.
local function trim(allowed)
    local space = box.space.kv_changes
    local excess = bytes_used() - allowed
    local keys = {}
    for _, row in space:pairs() do
        if excess <= 0 or #keys == TRIMMED_AT_ONCE or row[REVISION] >= mark then
            break
        end
        excess = excess - row:bsize() - ROW_OVERHEAD_BYTES
        table.insert(keys, {row[REVISION], row[N]})
    end
    box.atomic(function()
        for _, key in ipairs(keys) do
            space:delete(key)
        end
    end)
    return #keys
end

local function trim_all()
    local allowed = limit
    if reserve.is_lent() then
        allowed = math.min(limit, (1 - PART_GIVEN_UP) * bytes_used())
    end
    while bytes_used() > allowed and trim(allowed) > 0 do
        fiber.sleep(0)
    end
end

local function wait_for_growth(seconds)
    grown:wait(seconds)
end

-- Begins to record. A log that was switched off has missed changes, so it begins anew. Returns the fiber that trims
-- the log, or nil where `limit_bytes` is 0.
function changes.start(limit_bytes)
    local space = box.space.kv_changes
    limit = limit_bytes
    if limit == 0 then
        if space:len() > 0 then
            space:truncate()
        end
        return nil
    end
    if space:len() == 0 then
        reserve.write(0, space.insert, space, {revision.newest(), 0, BEGIN, {}})
    end
    mark = tonumber(space.index.primary:max()[REVISION])
    local complaint = 'changes: the log was not trimmed, and will be tried again in %g s: %s'
    return background.start('changes', trim_all, function() return LENT_SECONDS end, complaint, wait_for_growth)
end

return changes
