-- Removal by prefix.
local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local disk = require('disk')
local msgpack = require('msgpack')
local tap = require('tap')

support.start_here()
require('kv.schema').apply()
local changes = require('kv.changes')
local entries = require('kv.entries')
local inflight = require('kv.inflight')
local outcome = require('kv.outcome')
local step = require('kv.removal').step
changes.start(16 * 1024 * 1024)

local OK = outcome.OK
local ONE = msgpack.encode({n = 1})
local PAST = {1}

local function fill(prefix, count, ttl_s)
    for i = 1, count do
        entries.insert(('%s%04d'):format(prefix, i), ONE, ttl_s)
    end
end

-- Returns how many entries each step removed.
local function remove_all(prefix, limit)
    local counts, after = {}, nil
    repeat
        local verdict, count, continue = step(prefix, limit, after)
        assert(verdict == OK)
        table.insert(counts, count)
        after = continue
    until after == nil
    return counts
end

local test = tap.test('removal')
test:plan(6)

-- Holds removal.prefix, removal.steps.
test:test('the entries with a prefix', function(t)
    t:plan(4)
    fill('a/', 150)
    fill('a', 3)
    fill('a0', 2)
    t:is_deeply(remove_all('a/', 1000), {64, 64, 22}, 'are removed in small steps')
    t:is_deeply(remove_all('a/', 1000), {0}, 'once')
    t:is(box.space.kv:len(), 6, 'and no others')
    t:is_deeply(remove_all('none', 10), {0}, 'and there may be none')
end)

-- Holds removal.limit, removal.remaining.
test:test('a limit', function(t)
    t:plan(4)
    fill('b/', 5)
    local verdict, count, continue = step('b/', 3)
    t:is_deeply({verdict, count, continue}, {OK, 3, 'b/0003'}, 'is kept, and more is left')
    t:is_deeply({step('b/', 2, continue)}, {OK, 2}, 'or nothing more')
    fill('b/', 4)
    t:is_deeply({step('b/', 4)}, {OK, 4}, 'also where the limit is reached at the very end')
    t:is_deeply({step('b/', 4, 'a')}, {OK, 0}, 'a place before the prefix is its beginning')
end)

-- Holds removal.changes.
test:test('each removal', function(t)
    t:plan(2)
    fill('c/', 3)
    local mark = changes.mark()
    step('c/', 10)
    local _, _, _, rows = changes.read(mark, 1024 * 1024)
    local told, revisions = {}, {}
    for _, each in ipairs(rows) do
        table.insert(told, {each.what, each.entry[1]})
        revisions[tonumber(each.revision)] = true
    end
    t:is_deeply(told, {{3, 'c/0001'}, {3, 'c/0002'}, {3, 'c/0003'}}, 'is a change')
    local count = 0
    for _ in pairs(revisions) do
        count = count + 1
    end
    t:is(count, 3, 'with a revision of its own')
end)

test:test('entries that have expired', function(t)
    t:plan(2)
    fill('d/', 600, PAST)
    entries.insert('d/9', ONE)
    t:is_deeply(remove_all('d/', 10), {0, 1}, 'are passed over, not too many in a step')
    t:is(box.space.kv_expiry:len(), 600, 'and are left to expiry')
end)

test:test('a step that fails', function(t)
    t:plan(3)
    fill('e/', 3)
    disk.fill()
    t:ok(not pcall(step, 'e/', 10), 'is told')
    disk.free()
    t:is_deeply(remove_all('e/', 10), {3}, 'and removes nothing')
    t:is(inflight.of('e/0001'), nil, 'and leaves nothing in flight')
end)

test:test('a prefix of the highest bytes', function(t)
    t:plan(1)
    entries.insert('\255\255', ONE)
    t:is_deeply(remove_all('\255', 10), {1}, 'has no end')
end)

support.finish(test)
