local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local clock = require('clock')
local msgpack = require('msgpack')
local tap = require('tap')

local now_s = 1700000000
clock.time = function() return now_s end

local MIB = 1024 * 1024
local ONE = msgpack.encode({n = 1})

support.start_here({memtx_memory = 64 * MIB})
require('kv.schema').apply()
local changes = require('kv.changes')
local entries = require('kv.entries')
local retries = require('kv.retries')
local stats = require('kv.stats')
local tokens = require('kv.tokens')

changes.start(2 * MIB):cancel()
retries.start(3 * MIB, 600):cancel()

local test = tap.test('stats')
test:plan(4)

test:test('a store', function(t)
    t:plan(13)
    local before = stats.read()
    entries.insert('a', ONE)
    entries.insert('b', ONE, 10)
    entries.update('a', ONE, nil, nil, {'', 'a retry', 'print'})
    tokens.create('id', 'hash', '{}')
    local after = stats.read()
    t:is(after.entries - before.entries, 2, 'tells its entries')
    t:is(after.entries_bytes, tonumber(box.space.kv:bsize()), 'their bytes')
    t:is(after.expiring, 1, 'those with an end')
    t:is(after.changes - before.changes, 3, 'its changes')
    t:ok(after.changes_bytes > before.changes_bytes, 'their bytes')
    t:is(after.changes_limit, 2 * MIB, 'and how many there may be')
    t:is(after.revision - before.revision >= 3, true, 'its revision')
    t:ok(after.changes_oldest <= before.revision, 'from which it holds all changes')
    t:is(after.retries, 1, 'its records of repeatable writes')
    t:ok(after.retries_bytes > 0 and after.retries_limit == 3 * MIB, 'and their bytes')
    t:is(after.tokens, 1, 'its tokens')
    t:is(after.memory_limit, 64 * MIB, 'its memory')
    t:ok(after.memory_used > 0 and after.memory_used <= after.memory_limit, 'and what is used of it')
end)

test:test('entries that have expired', function(t)
    t:plan(4)
    t:is(stats.read().expired, 0, 'are none at first')
    now_s = now_s + 12
    local late = stats.read()
    t:is(late.expired, 1, 'are told until they are removed')
    t:is(late.expired_ms, 2000, 'with the age of the first')
    stats.max_expired = 2
    for i = 1, 3 do
        box.space.kv_expiry:insert({i, 'stray ' .. i})
    end
    t:is(stats.read().expired, 2, 'and counted up to a bound')
end)

test:test('every figure', function(t)
    t:plan(1)
    local odd = {}
    for name, value in pairs(stats.read()) do
        if type(value) ~= 'number' or value ~= math.floor(value) or value < 0 then
            table.insert(odd, name)
        end
    end
    t:is_deeply(odd, {}, 'is a whole number')
end)

test:test('a store that takes no writes', function(t)
    t:plan(2)
    t:is(stats.read().writable, 1, 'is told from one that does')
    box.cfg({read_only = true})
    t:is(stats.read().writable, 0, 'by a figure')
    box.cfg({read_only = false})
end)

support.finish(test)
