-- Carries out several operations at once: all or nothing, isolated, and with one revision for the whole.
--
-- A transaction is planned first: its comparisons are judged and its operations are carried out on a view, which
-- keeps their changes aside. Then the changes are written, each key once. Nothing yields between the first read and
-- the submission, so the transaction sees one state. A plan that writes nothing (because it is refused, or only
-- reads) is an answer, so it is made on durable data.
local answer = require('kv.answer')
local durable = require('kv.durable')
local inflight = require('kv.inflight')
local outcome = require('kv.outcome')
local reserve = require('kv.reserve')
local retries = require('kv.retries')
local revision = require('kv.revision')
local rules = require('kv.rules')
local store = require('kv.store')

local OK, ABORTED, LARGE = outcome.OK, outcome.ABORTED, outcome.LARGE
local NULL = box.NULL

-- Positions in a comparison and in an operation. The same positions are defined for TypeScript in
-- src/store/positions.ts.
local COMPARE_KEY, COMPARE_WHAT, COMPARE_WITH = 1, 2, 3
local OP, OP_KEY, OP_VALUE, OP_TTL_S, OP_IF_MATCH = 1, 2, 3, 4, 5

local SUCCESS, FAILURE = 1, 0

local txn = {}

local function newest(key)
    return box.space.kv:get(key)
end

local comparisons = {
    exists = function(entry, expected)
        return (entry ~= nil) == expected
    end,
    -- The version of a missing entry is 0.
    version = function(entry, expected)
        return rules.version(entry) == expected
    end,
}

-- Positions are zero-based, as clients count.
local function failed_comparisons(compare, view)
    local failed = {}
    for i, comparison in ipairs(compare or {}) do
        local holds = comparisons[comparison[COMPARE_WHAT]]
        if holds == nil then
            box.error(box.error.ILLEGAL_PARAMS, 'a comparison by exists or version')
        end
        if not holds(rules.live(view(comparison[COMPARE_KEY])), comparison[COMPARE_WITH]) then
            table.insert(failed, i - 1)
        end
    end
    return failed
end

-- What each operation does to the change of its key, and its result.
local carry_out = {}

function carry_out.get(change, _, _, read)
    table.insert(read, change.entry)
    return {OK, change.entry}
end

local function put(change, operation, version)
    local created = change.entry == nil
    local new, expires_at = rules.row(change.key, operation[OP_VALUE], version, operation[OP_TTL_S], change.entry)
    change.after, change.entry, change.is_written = new, new, true
    return {OK, version, expires_at or NULL, created}
end
carry_out.insert = put
carry_out.update = put
carry_out.upsert = put

-- The entry is not changed, so its version stays.
function carry_out.touch(change, operation)
    local new, expires_at = rules.touched(change.entry, operation[OP_TTL_S])
    change.after, change.entry, change.is_written = new, new, true
    return {OK, rules.version(new), expires_at or NULL, false}
end

function carry_out.delete(change, _, version)
    change.after, change.entry, change.is_written = nil, nil, true
    return {OK, version, NULL, false}
end

-- Returns a plan: {branch, failed, is_comparison} where the transaction is refused, otherwise {branch, changes,
-- results, read, takes_revision}. An entry that the transaction both creates and removes leaves no change, but its
-- revision was shown in a result.
local function plan(compare, success, failure, view, version)
    local failed = failed_comparisons(compare, view)
    local branch, operations = SUCCESS, success
    if #failed > 0 then
        branch, operations = FAILURE, failure
        if failure == nil then
            return {branch = branch, failed = failed, is_comparison = true}
        end
    end
    local by_key, results, changes = {}, {}, {}
    local read = {}
    for i, operation in ipairs(operations or {}) do
        local op, key = operation[OP], operation[OP_KEY]
        if carry_out[op] == nil then
            box.error(box.error.ILLEGAL_PARAMS, 'an operation get, insert, update, upsert, touch or delete')
        end
        local change = by_key[key]
        if change == nil then
            local before = view(key)
            local live = rules.live(before)
            change = {
                key = key, revision = version, before = before, after = before, live = live, entry = live,
                is_written = false,
            }
            by_key[key] = change
            table.insert(changes, change)
        end
        local verdict = rules.judge[op](change.entry, operation[OP_IF_MATCH])
        if verdict == OK then
            results[i] = carry_out[op](change, operation, version, read)
        elseif op == 'get' then
            results[i] = {verdict}
        else
            return {branch = branch, failed = {i - 1}, is_comparison = false}
        end
    end
    local written, takes_revision, touched_bytes = {}, false, 0
    for _, change in ipairs(changes) do
        takes_revision = takes_revision or change.is_written
        if change.is_written and (change.before ~= nil or change.after ~= nil) then
            table.insert(written, change)
            if change.after ~= nil and rules.version(change.after) ~= version then
                touched_bytes = touched_bytes + change.after:bsize()
            end
        end
    end
    return {
        branch = branch, changes = written, results = results, read = read, takes_revision = takes_revision,
        touched_bytes = touched_bytes,
    }
end

local function writes_to(operations)
    for _, operation in ipairs(operations or {}) do
        if operation[OP] ~= 'get' then
            return true
        end
    end
    return false
end

local function has_changes(made)
    return made.failed == nil and #made.changes > 0
end

local function given(argument)
    if argument ~= nil then
        return argument
    end
end

-- Returns a write in flight on one of the keys that the transaction looks at.
local function write_in_flight(compare, ...)
    for _, comparison in ipairs(compare or {}) do
        local write = inflight.of(comparison[COMPARE_KEY])
        if write ~= nil then
            return write
        end
    end
    for i = 1, select('#', ...) do
        for _, operation in ipairs(select(i, ...) or {}) do
            local write = inflight.of(operation[OP_KEY])
            if write ~= nil then
                return write
            end
        end
    end
end

-- Returns the bytes that the caller has to set aside room for before it may receive the entries that were read.
-- Returns nil where it may receive them now. Throws where they exceed the limit of one answer. Nothing has been
-- written by then. An answer that will be recorded may not be large at all.
local function room_needed(made, may_be_large, retry)
    local bytes = made.read and answer.bytes(made.read) or 0
    if bytes <= answer.SMALL_BYTES then
        return nil
    elseif retry ~= nil then
        box.error({code = box.error.MEMTX_MAX_TUPLE_SIZE, reason = 'The values read are too large for a record'})
    elseif may_be_large ~= true then
        return bytes
    elseif not answer.fits(made.read, bytes, #made.results) then
        box.error({code = box.error.MEMTX_MAX_TUPLE_SIZE, reason = 'The values read make too large an answer'})
    end
end

-- A touch writes the whole entry, although the request does not hold its value. So it is bounded like what is read.
local function check_touched(made)
    if made.touched_bytes > answer.MAX_BYTES then
        box.error({code = box.error.MEMTX_MAX_TUPLE_SIZE, reason = 'The entries touched are too large together'})
    end
end

local function results_of(made, version)
    if made.failed ~= nil then
        return ABORTED, made.failed, made.is_comparison
    end
    return OK, version, made.branch, made.results
end

-- Writes the changes, and the answer where the transaction can be repeated.
local function commit(made, version, retry)
    local record
    if retry ~= nil then
        record = retries.record(retry, {OK, version, made.branch, made.results})
    end
    if #made.changes > 0 then
        made.changes[1].record = record
        store.write_all(made.changes)
    elseif record ~= nil then
        reserve.write(record:bsize(), retries.insert, record)
    end
end

local function run(compare, success, failure, may_be_large, retry)
    -- A null that arrives over the wire is not nil in Lua.
    compare, success, failure = given(compare), given(success), given(failure)
    local is_writing = writes_to(success) or writes_to(failure)
    local deadline = inflight.deadline()
    while true do
        while is_writing and not revision.is_ready() do
            revision.wait(deadline)
        end
        local made = is_writing and plan(compare, success, failure, newest, revision.peek())
        if made and has_changes(made) then
            check_touched(made)
            local bytes = room_needed(made, may_be_large, retry)
            if bytes ~= nil then
                return LARGE, bytes
            end
            local version = revision.take()
            commit(made, version, retry)
            return results_of(made, version)
        end
        local unsettled
        made = plan(compare, success, failure, function(key)
            local entry, write = durable.entry(key, newest(key))
            unsettled = unsettled or write
            return entry
        end, revision.peek())
        if not has_changes(made) and unsettled == nil then
            local bytes = room_needed(made, may_be_large, retry)
            if bytes ~= nil then
                return LARGE, bytes
            end
            local version = made.takes_revision and revision.take() or revision.newest()
            if made.failed == nil then
                commit(made, version, retry)
            end
            return results_of(made, version)
        end
        -- Either a write in flight is the cause of the refusal, or no write is in flight any more because an entry
        -- has expired between the two plans.
        local write = unsettled or write_in_flight(compare, success, failure)
        if write ~= nil then
            inflight.wait(write, deadline)
        end
    end
end

-- compare: an array of {key, 'exists', boolean} or {key, 'version', number}.
-- success, failure: arrays of {op, key, value, ttl_s, if_match} with op get, insert, update, upsert, touch or delete.
-- failure is carried out where a comparison does not hold, and may be nil.
-- Returns OK, the revision, the branch that was carried out (1: success, 0: failure), and the result of each
-- operation: {OK, tuple} or {NOT_FOUND} of a get, otherwise {OK, version, expires_at or null, whether it created the
-- entry}. The revision of a transaction that wrote nothing is the newest one given so far, which is at or above the
-- versions that it read.
-- Or returns ABORTED, the zero-based positions of what failed, and whether these are comparisons: all that do not
-- hold, or else the first operation that was refused.
-- Or, where the answer is large and may not be, returns LARGE and the bytes of the entries that it would read.
-- `retry` makes the transaction safe to repeat, and adds the outcomes REPLAYED, REUSED, UNSETTLED and FULL: see
-- kv/retries.lua.
function txn.run(compare, success, failure, may_be_large, retry)
    return retries.once(retry, run, compare, success, failure, may_be_large, retry)
end

return txn
