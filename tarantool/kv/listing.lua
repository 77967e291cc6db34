-- Reads pages of entries step by step, in the order of the bytes of their keys. A step shows durable entries only,
-- all from one moment. It takes no longer at the end of a large store than at the beginning of a small one.
local changes = require('kv.changes')
local durable = require('kv.durable')
local inflight = require('kv.inflight')
local row = require('kv.row')
local outcome = require('kv.outcome')

local KEY, VERSION = row.KEY, row.VERSION

local DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
-- The service has to hold a page, and the connection has to carry it.
local DEFAULT_MAX_BYTES = 4 * 1024 * 1024
-- The most entries that one call passes over. A run of expired entries must not block the store.
local MAX_PASSED_OVER = 500
-- Roughly what a key and its version take in addition to the bytes of the key.
local KEY_OVERHEAD_BYTES = 16

local listing = {}

-- The smallest string above all strings that begin with the prefix. nil where there is none.
local function after_prefix(prefix)
    local stem = prefix:gsub('\255+$', '')
    if stem ~= '' then
        return stem:sub(1, -2) .. string.char(stem:byte(-1) + 1)
    end
end

-- Returns the inclusive lower bound and the exclusive upper bound. nil means no bound.
local function bounds(options)
    local lower, upper = options.start, options.end_
    if options.prefix ~= nil then
        local above = after_prefix(options.prefix)
        lower = lower ~= nil and lower > options.prefix and lower or options.prefix
        upper = (upper == nil or (above ~= nil and above < upper)) and above or upper
    end
    return lower, upper
end

-- The durable entries between the bounds that the index lacks, because their removal is in flight, in the direction
-- of the walk.
local function removed_between(lower, upper, after, reverse)
    local tuples = {}
    for _, tuple in ipairs(inflight.removed()) do
        local key = tuple[KEY]
        if (lower == nil or key >= lower) and (upper == nil or key < upper) then
            if after == nil or (reverse and key < after) or (not reverse and key > after) then
                table.insert(tuples, tuple)
            end
        end
    end
    table.sort(tuples, function(a, b)
        if reverse then
            return a[KEY] > b[KEY]
        end
        return a[KEY] < b[KEY]
    end)
    return tuples
end

-- Returns an iterator that yields, for each key, the key and what durable.entry returns.
local function walk(lower, upper, after, reverse)
    local iterator, from
    if reverse then
        from = after ~= nil and (upper == nil or after < upper) and after or upper
        iterator = 'LT'
    elseif after ~= nil and (lower == nil or after >= lower) then
        from, iterator = after, 'GT'
    else
        from, iterator = lower, 'GE'
    end
    local step, param, state = box.space.kv.index.ordered:pairs(from, {iterator = iterator})
    local removed = removed_between(lower, upper, after, reverse)
    local at = 1

    local function next_in_index()
        local tuple
        state, tuple = step(param, state)
        local key = tuple ~= nil and tuple[KEY] or nil
        if key == nil or (reverse and lower ~= nil and key < lower) or (not reverse and upper ~= nil and key >= upper) then
            return nil
        end
        return key, tuple
    end

    local key, tuple = next_in_index()
    return function()
        local hidden = removed[at]
        if hidden ~= nil then
            local hidden_key = hidden[KEY]
            if key == nil or (reverse and hidden_key > key) or (not reverse and hidden_key < key) then
                at = at + 1
                return hidden_key, durable.entry(hidden_key, nil)
            end
        end
        local found, newest = key, tuple
        if found == nil then
            return nil
        end
        key, tuple = next_in_index()
        return found, durable.entry(found, newest)
    end
end

local function absent_if_null(options)
    local given = {}
    for name, value in pairs(options or {}) do
        if value ~= nil then
            given[name] = value
        end
    end
    return given
end

-- The options are all optional: prefix, start (inclusive), end_ (exclusive), limit, reverse, keys_only, max_bytes,
-- and after: the key behind which to continue, in the direction of the walk.
-- Returns OK, the tuples undecoded (or {key, version} of each, and expires_at where it has one), and the key behind
-- which the next page begins, nil at the end; and the revision up to which the changes of the log are in the page, nil
-- where there is no log.
-- A page may be short or even empty and still have a next one. Its first row may be larger than max_bytes. Where the
-- first entry depends on a write in flight that may have kept it alive, the page waits for it. Where a later entry
-- does, the page ends before that entry.
function listing.list(options)
    options = absent_if_null(options)
    local reverse, keys_only = options.reverse == true, options.keys_only == true
    local limit = math.max(1, math.min(options.limit or DEFAULT_LIMIT, MAX_LIMIT))
    local max_bytes = options.max_bytes or DEFAULT_MAX_BYTES
    local lower, upper = bounds(options)
    local next_entry = walk(lower, upper, options.after, reverse)

    -- The entries are those on disk, and the mark is the newest revision there.
    local mark = changes.mark()
    local rows, count, bytes, passed_over, last = {}, 0, 0, 0, nil
    local deadline
    while true do
        local key, tuple, unsettled = next_entry()
        while unsettled ~= nil and last == nil do
            deadline = deadline or inflight.deadline()
            inflight.wait(unsettled, deadline)
            next_entry = walk(lower, upper, options.after, reverse)
            key, tuple, unsettled = next_entry()
        end
        if key == nil then
            return outcome.OK, rows, nil, mark
        end
        if passed_over == MAX_PASSED_OVER or unsettled ~= nil then
            return outcome.OK, rows, last, mark
        end
        if tuple ~= nil then
            bytes = bytes + (keys_only and #key + KEY_OVERHEAD_BYTES or tuple:bsize())
            if count == limit or (count > 0 and bytes > max_bytes) then
                return outcome.OK, rows, last, mark
            end
            count = count + 1
            rows[count] = keys_only and {key, tuple[VERSION], row.expires_at(tuple)} or tuple
        else
            passed_over = passed_over + 1
        end
        last = key
    end
end

return listing
