local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local fiber = require('fiber')
local msgpack = require('msgpack')
local tap = require('tap')

support.start_here()
require('kv.schema').apply()
local entries = require('kv.entries')
local outcome = require('kv.outcome')

local ONE = msgpack.encode({n = 1})
local TWO = msgpack.encode({n = 2})

local function stored(key)
    local _, tuple = entries.get(key, true)
    return tuple
end

local test = tap.test('entries')
test:plan(13)

test:test('outcomes', function(t)
    t:plan(10)
    t:is(entries.get('a'), outcome.NOT_FOUND, 'get answers NOT_FOUND for a key that is not there')
    t:is(entries.update('a', ONE), outcome.NOT_FOUND, 'so does update')
    t:is(entries.delete('a'), outcome.NOT_FOUND, 'and delete')
    t:is(entries.insert('a', ONE), outcome.OK, 'insert answers OK')
    t:is(entries.insert('a', TWO), outcome.EXISTS, 'and EXISTS the second time')
    t:is(stored('a').value.n, 1, 'which changes nothing')
    t:is(entries.update('a', TWO), outcome.OK, 'update answers OK')
    t:is(stored('a').value.n, 2, 'and replaces the value')
    t:is(entries.delete('a'), outcome.OK, 'delete answers OK')
    t:is(entries.get('a'), outcome.NOT_FOUND, 'and the key is gone')
end)

-- Returns the bytes of a value in the space.
local function raw_value(key)
    local tuple = stored(key)
    local encoded = msgpack.encode(tuple)
    return encoded:sub(2 + #msgpack.encode(key), -1 - #msgpack.encode(tuple.version))
end

test:test('order of members', function(t)
    t:plan(2)
    local bytes = '\x84\xa1z\x01\xa1a\x02\xa1m\x80\xa1b\x90'
    t:is(entries.insert('order', bytes), outcome.OK, 'is accepted')
    t:is(raw_value('order'), bytes, 'is kept, and {} and [] stay apart')
end)

test:test('deep nesting', function(t)
    t:plan(2)
    local bytes = ('\x81\xa1a'):rep(1000) .. '\x80'
    t:is(entries.insert('deep', bytes), outcome.OK, '1000 levels are accepted')
    t:is(raw_value('deep'), bytes, 'and kept')
end)

test:test('bytes that are no map', function(t)
    local other = {
        array = '\x90', null = '\xc0', string = '\xa1a', integer = '\x01',
    }
    local malformed = {
        empty = '', cut = '\x81', ['cut in a string'] = '\x81\xa1a\xdb\xff\xff\xff\xff',
        ['two values'] = '\x80\x80', ['huge map'] = '\xdf\xff\xff\xff\xff', ['cut header'] = '\xde\x00',
    }
    t:plan(10 * 2 + 3)
    for codes, cases in pairs({[box.error.FIELD_TYPE] = other, [box.error.INVALID_MSGPACK] = malformed}) do
        for name, bytes in pairs(cases) do
            local ok, problem = pcall(entries.insert, 'bad', bytes)
            t:ok(not ok and problem.code == codes, name .. ' is refused')
            t:is(entries.get('bad'), outcome.NOT_FOUND, 'and not stored')
        end
    end
    pcall(entries.insert, 'reserved', '\x81\xa1a\xc1')
    t:ok(pcall(entries.get, 'reserved'), 'the reserved byte does no harm')
    t:ok(not pcall(entries.insert, 'bad', {}), 'a table is refused')
    t:ok(not pcall(entries.insert, 1, ONE), 'a key that is a number is refused')
end)

test:test('keys', function(t)
    local keys = {'', 'a/b', 'nul\0nul', '\xf0\x9f\x92\xa9', ('k'):rep(31), ('k'):rep(32), ('k'):rep(512), ('k'):rep(70000)}
    t:plan(#keys)
    for _, key in ipairs(keys) do
        entries.insert(key, ONE)
        local tuple = stored(key)
        t:ok(tuple ~= nil and tuple.key == key, ('of %d bytes'):format(#key))
    end
end)

test:test('size', function(t)
    t:plan(2)
    local ok, problem = pcall(entries.insert, 'big', msgpack.encode({a = ('x'):rep(2 * 1024 * 1024)}))
    t:ok(not ok and problem.code == box.error.MEMTX_MAX_TUPLE_SIZE, 'a tuple over the limit is refused')
    t:is(entries.get('big'), outcome.NOT_FOUND, 'and not stored')
end)

test:test('100 fibers insert one key', function(t)
    t:plan(2)
    local counts = {[outcome.OK] = 0, [outcome.EXISTS] = 0}
    local fibers = {}
    for i = 1, 100 do
        fibers[i] = fiber.new(function()
            local result = entries.insert('race', ONE)
            counts[result] = counts[result] + 1
        end)
        fibers[i]:set_joinable(true)
    end
    for i = 1, 100 do
        fibers[i]:join()
    end
    t:is(counts[outcome.OK], 1, 'one gets OK')
    t:is(counts[outcome.EXISTS], 99, 'the others EXISTS')
end)

test:test('nothing stays in flight', function(t)
    t:plan(1)
    local left = 0
    for _, key in ipairs({'a', 'bad', 'big', 'race', 'order'}) do
        left = left + (require('kv.inflight').of(key) and 1 or 0)
    end
    t:is(left, 0, 'after all of the above')
end)

test:test('read-only', function(t)
    t:plan(2)
    box.cfg({read_only = true})
    local ok, problem = pcall(entries.insert, 'ro', ONE)
    t:ok(not ok and problem.code == box.error.READONLY, 'a write fails with a code of its own')
    t:is(entries.get('race'), outcome.OK, 'a read does not')
    box.cfg({read_only = false})
end)

test:test('a row', function(t)
    local row = require('kv.row')
    -- Where the encoding of a number takes more bytes, and where that of a string does.
    local numbers = {1, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, 2 ^ 53 - 1}
    local lengths = {1, 31, 32, 255, 256, 65535, 65536}
    t:plan(3 * #numbers + #lengths)
    for _, number in ipairs(numbers) do
        local tuple = row.new('k', ONE, number, number + 1)
        t:is(tonumber(tuple[row.VERSION]), number, 'has its version')
        t:is(tonumber(tuple[row.EXPIRES_AT]), number + 1, 'and its end')
        local ended = row.with_end(box.space.kv:replace(tuple), nil)
        t:is_deeply({#ended, tonumber(ended[row.VERSION]), ended[row.VALUE]}, {3, number, {n = 1}}, 'which can be taken away')
    end
    for _, length in ipairs(lengths) do
        t:is(row.new(('k'):rep(length), ONE, 1)[row.KEY], ('k'):rep(length), ('may have a key of %d bytes'):format(length))
    end
    box.space.kv:delete('k')
end)

test:test('an end in ten thousand years', function(t)
    t:plan(3)
    local LATE_MS = 253402300799999
    t:is(entries.upsert('late', ONE, {LATE_MS}), outcome.OK, 'is taken')
    t:is_deeply({entries.upsert('late', TWO, 'keep')}, {outcome.OK, stored('late').version, LATE_MS, false}, 'and kept')
    t:is(entries.touch('late', {LATE_MS - 1}), outcome.OK, 'and changed')
    entries.delete('late')
end)

test:test('an end that is none', function(t)
    local ENDS = {{}, {'5'}, {1.5}, {0}, {-1}, {2 ^ 53 + 2}, {0 / 0}, 0, -1, 'never', true}
    t:plan(2 * #ENDS + 1)
    entries.upsert('ends', ONE)
    for _, ending in ipairs(ENDS) do
        for _, operation in ipairs({'insert', 'touch'}) do
            local ok, problem
            if operation == 'touch' then
                ok, problem = pcall(entries.touch, 'ends', ending)
            else
                ok, problem = pcall(entries.insert, 'no entry', ONE, ending)
            end
            t:ok(not ok and problem.code == box.error.ILLEGAL_PARAMS, 'is refused')
        end
    end
    t:is_deeply({entries.get('no entry'), stored('ends').expires_at}, {outcome.NOT_FOUND}, 'and changes nothing')
    entries.delete('ends')
end)

test:test('the outcomes', function(t)
    t:plan(1)
    t:is_deeply(outcome, {OK = 0, NOT_FOUND = 1, EXISTS = 2, PRECONDITION_FAILED = 3, ABORTED = 4, LARGE = 5, GONE = 6, OFF = 7,
        REPLAYED = 8, REUSED = 9, READ_ONLY = 10, FAILED = 11, FULL = 12, UNSETTLED = 13},
        'keep their numbers, which the service knows')
end)

support.finish(test)
