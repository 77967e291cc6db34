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
function listing.after_prefix(prefix)
    local stem = prefix:gsub('\255+$', '')
    if stem ~= '' then
        return stem:sub(1, -2) .. string.char(stem:byte(-1) + 1)
    end
end

local after_prefix = listing.after_prefix

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

-- Returns a function that returns, for each key, the key and what durable.entry returns; and a function that goes on
-- at another key: at the first one that is not below it, in reverse at the first one below it.
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

    local function go_to(bound)
        step, param, state = box.space.kv.index.ordered:pairs(bound, {iterator = reverse and 'LT' or 'GE'})
        while removed[at] ~= nil and (removed[at][KEY] < bound) ~= reverse do
            at = at + 1
        end
        key, tuple = next_in_index()
    end

    local function next_entry()
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

    return next_entry, go_to
end

-- The beginning of the key up to the first delimiter behind the prefix, the delimiter included. nil where the key has
-- none there.
local function common_prefix(key, prefix, delimiter)
    local _, last = key:find(delimiter, #prefix + 1, true)
    return last and key:sub(1, last)
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

-- Where a page ended with a common prefix, the next one begins behind all keys with that prefix. No key has this
-- character: the service refuses control characters.
local ALL_OF_PREFIX = '\0'

-- Returns the lower bound of a page, and the key behind which it begins.
local function place(lower, after, delimiter, reverse)
    if after == nil or delimiter == nil or after:sub(-1) ~= ALL_OF_PREFIX then
        return lower, after
    end
    local common = after:sub(1, -2)
    if reverse then
        return lower, common
    end
    return after_prefix(common), nil
end

-- The options are all optional: prefix, start (inclusive), end_ (exclusive), limit, reverse, keys_only, max_bytes,
-- after: the key behind which to continue, in the direction of the walk; and delimiter: where a key has it behind the
-- prefix, its beginning up to there is shown instead, once for all keys with that beginning. The others are not read.
-- Returns OK, the tuples undecoded (or {key, version} of each, and expires_at where it has one; or the beginning that
-- keys have in common, a string), and the key behind
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
    local prefix, delimiter = options.prefix or '', options.delimiter
    local lower, upper = bounds(options)
    local after
    lower, after = place(lower, options.after, delimiter, reverse)
    local next_entry, go_to = walk(lower, upper, after, reverse)

    -- The entries are those on disk, and the mark is the newest revision there.
    local mark = changes.mark()
    local rows, count, bytes, passed_over, last = {}, 0, 0, 0, nil
    local deadline
    while true do
        local key, tuple, unsettled = next_entry()
        while unsettled ~= nil and last == nil do
            deadline = deadline or inflight.deadline()
            inflight.wait(unsettled, deadline)
            next_entry, go_to = walk(lower, upper, after, reverse)
            key, tuple, unsettled = next_entry()
        end
        if key == nil then
            return outcome.OK, rows, nil, mark
        end
        if passed_over == MAX_PASSED_OVER or unsettled ~= nil then
            return outcome.OK, rows, last, mark
        end
        if tuple ~= nil then
            local common = delimiter and common_prefix(key, prefix, delimiter)
            bytes = bytes + ((keys_only or common) and #key + KEY_OVERHEAD_BYTES or tuple:bsize())
            if count == limit or (count > 0 and bytes > max_bytes) then
                return outcome.OK, rows, last, mark
            end
            count = count + 1
            last = key
            if common then
                rows[count] = common
                last = common .. ALL_OF_PREFIX
                go_to(reverse and common or after_prefix(common))
            else
                rows[count] = keys_only and {key, tuple[VERSION], row.expires_at(tuple)} or tuple
            end
        else
            passed_over = passed_over + 1
            last = key
        end
    end
end

return listing
