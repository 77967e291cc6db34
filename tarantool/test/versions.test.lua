local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local clock = require('clock')
local msgpack = require('msgpack')
local tap = require('tap')

-- The test sets the clock, so it never waits for an entry to expire.
local now_s = 1700000000
local real_monotonic = clock.monotonic
local elapsed_s = 0
clock.time = function() return now_s end
clock.monotonic = function() return elapsed_s end

support.start_here()
require('kv.schema').apply()
local entries = require('kv.entries')
local outcome = require('kv.outcome')
local OK, NOT_FOUND, EXISTS, FAILED = outcome.OK, outcome.NOT_FOUND, outcome.EXISTS, outcome.PRECONDITION_FAILED

local ONE = msgpack.encode({n = 1})
local TWO = msgpack.encode({n = 2})

local function pass(seconds)
    now_s, elapsed_s = now_s + seconds, elapsed_s + seconds
end

local function stored(key)
    local _, tuple = entries.get(key)
    return tuple ~= nil and tuple:totable() or nil
end

local function endings()
    local found = {}
    for _, ending in box.space.kv_expiry:pairs() do
        table.insert(found, ending:totable())
    end
    return found
end

local test = tap.test('versions')
test:plan(8)

-- Holds version.one-number-that-grows, version.of-removal.
test:test('versions', function(t)
    t:plan(8)
    local _, first = entries.insert('a', ONE)
    t:is(first, 2, 'begin behind that of the entry state')
    t:is_deeply({entries.insert('a', ONE)}, {EXISTS, first}, 'a refusal tells the one that is there')
    local _, second = entries.update('a', TWO)
    t:is(second, first + 1, 'each change takes the next')
    t:is_deeply(stored('a'), {'a', {n = 2}, second}, 'and the entry shows it')
    local _, removal = entries.delete('a')
    t:is(removal, second + 1, 'a removal takes one as well')
    t:is(entries.delete('a'), NOT_FOUND, 'a refusal takes none')
    local _, other = entries.insert('b', ONE)
    t:is(other, removal + 1, 'they count for all keys together')
    local _, again = entries.insert('a', ONE)
    t:is(again, other + 1, 'and go on where a key comes again')
end)

test:test('if_match', function(t)
    local _, version = entries.upsert('c', ONE)
    local null = msgpack.NULL
    t:plan(13)
    t:is_deeply({entries.update('c', TWO, nil, {version - 1})}, {FAILED, version}, 'another version refuses, and tells the present')
    t:is_deeply({entries.update('c', TWO, nil, {})}, {FAILED, version}, 'so do none')
    t:is_deeply({entries.delete('c', {version + 1})}, {FAILED, version}, 'a delete too')
    t:is_deeply(stored('c'), {'c', {n = 1}, version}, 'and nothing was changed')
    t:is(entries.update('c', TWO, nil, {1, version}), OK, 'one of several suffices')
    t:is(entries.update('c', TWO, nil, '*'), OK, 'any does for *')
    t:is(entries.update('c', TWO, null, null), OK, 'null is nothing asked')
    t:is(entries.update('none', TWO, nil, {1}), NOT_FOUND, 'a key that is not there stays NOT_FOUND')
    t:is(entries.update('none', TWO, nil, '*'), NOT_FOUND, 'for * as well')
    t:is(entries.delete('none', '*'), NOT_FOUND, 'and for delete')
    t:is_deeply({entries.upsert('none', ONE, nil, '*')}, {FAILED, 0}, 'an upsert is refused')
    t:is_deeply({entries.upsert('none', ONE, nil, {0})}, {FAILED, 0}, 'even with 0, which is no version')
    t:is(entries.delete('c', {stored('c')[3]}), OK, 'the present version goes ahead')
end)

test:test('upsert', function(t)
    t:plan(5)
    local result, version, expires_at, created = entries.upsert('d', ONE)
    t:is_deeply({result, expires_at, created}, {OK, nil, true}, 'creates')
    local results = {entries.upsert('d', TWO)}
    t:is_deeply({results[1], results[2], results[4]}, {OK, version + 1, false}, 'and replaces')
    t:is_deeply({entries.upsert('d', ONE, nil, nil, true)}, {FAILED, version + 1}, 'but not where it only creates')
    t:is(select(4, entries.upsert('e', ONE, nil, msgpack.NULL, true)), true, 'which it does')
    t:is(select(4, entries.upsert('e', ONE, nil, nil, false)), false, 'only when told so')
end)

-- Holds version.if-match.
test:test('100 fibers compare and set one key', function(t)
    t:plan(3)
    entries.upsert('race', msgpack.encode({n = 0}))
    local refused, versions, distinct = 0, {}, true
    support.all_at_once(100, function()
        while true do
            local seen = stored('race')
            local result, version = entries.update('race', msgpack.encode({n = seen[2].n + 1}), nil, {seen[3]})
            if result == OK then
                distinct = distinct and not versions[version]
                versions[version] = true
                return
            end
            refused = refused + 1
        end
    end)
    t:is(stored('race')[2].n, 100, 'each counts once')
    t:ok(refused > 0, 'after having been refused')
    t:ok(distinct, 'each with a version of its own')
end)

-- Holds ttl.gone-at-once.
test:test('an end', function(t)
    t:plan(11)
    local _, _, expires_at = entries.insert('t', ONE, 10)
    t:is(expires_at, (now_s + 10) * 1000, 'is told in milliseconds')
    t:is(stored('t')[4], expires_at, 'and shown')
    t:is_deeply(endings(), {{expires_at, 't'}}, 'and kept in order')
    t:is(select(3, entries.update('t', TWO, 'keep')), expires_at, 'keep keeps it')
    pass(9.999)
    t:is(entries.get('t'), OK, 'the entry is there to the last')
    t:is(entries.insert('t', ONE), EXISTS, 'for a writer as well')
    pass(0.001)
    t:is_deeply({entries.get('t'), entries.update('t', ONE), entries.delete('t'), entries.touch('t', 5)},
        {NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND}, 'and then it is not, to any operation')
    t:is_deeply({entries.upsert('t', ONE, nil, '*')}, {FAILED, 0}, 'nor to a condition')
    t:is(entries.insert('t', ONE, 5), OK, 'an insert takes its place')
    entries.update('t', TWO)
    t:is(stored('t')[4], nil, 'an update without an end takes it away')
    t:is_deeply(endings(), {}, 'from the order as well')
end)

test:test('touch', function(t)
    t:plan(13)
    local _, version = entries.insert('u', ONE)
    t:is_deeply({entries.touch('u', 10)}, {OK, version, (now_s + 10) * 1000}, 'sets an end and leaves the version')
    t:is_deeply(stored('u'), {'u', {n = 1}, version, (now_s + 10) * 1000}, 'and the value')
    pass(5)
    entries.touch('u', 10)
    t:is_deeply(endings(), {{(now_s + 10) * 1000, 'u'}}, 'moves it')
    t:is_deeply({entries.touch('u', msgpack.NULL)}, {OK, version}, 'or takes it away')
    t:is_deeply(stored('u'), {'u', {n = 1}, version}, 'wholly')
    t:is_deeply({entries.touch('u')}, {OK, version}, 'where there is none, too')
    t:is_deeply(endings(), {}, 'and nothing is left in the order')
    t:is(entries.touch('none', 5), NOT_FOUND, 'a key that is not there is NOT_FOUND')
    t:is_deeply({entries.touch('u', 5, {version + 1})}, {FAILED, version}, 'another version refuses it')
    t:is_deeply(endings(), {}, 'and nothing is done')
    t:is(entries.touch('u', 5, {version}), OK, 'its own lets it pass')
    local at = now_s * 1000 + 1
    t:is_deeply({entries.touch('u', {at}, '*')}, {OK, version, at}, 'an absolute end is taken as it is')
    t:is((pcall(entries.touch, 'u', {at + 0.5})), false, 'where it is whole milliseconds')
end)

test:test('a ttl that is none', function(t)
    local wrong = {0, -1, 315360001, 'soon', 0 / 0, math.huge, true}
    t:plan(#wrong + 1)
    for _, ttl_s in ipairs(wrong) do
        t:ok(not pcall(entries.insert, 'wrong', ONE, ttl_s), tostring(ttl_s))
    end
    t:is(entries.get('wrong'), NOT_FOUND, 'stores nothing')
end)

test:test('a clock that is set', function(t)
    t:plan(6)
    entries.insert('v', ONE, 10)
    pass(11)
    t:is(entries.get('v'), NOT_FOUND, 'an entry that is gone')
    now_s = now_s - 60
    t:is(entries.get('v'), NOT_FOUND, 'does not come back where it is set back')
    local _, _, expires_at = entries.insert('w', ONE, 10)
    elapsed_s = elapsed_s + 21
    now_s = now_s + 21
    t:is(entries.get('w'), NOT_FOUND, 'and others go meanwhile')
    t:ok(expires_at > now_s * 1000, 'before the host has caught up')
    entries.insert('x', ONE, 100)
    now_s = now_s + 3600
    t:is(entries.get('x'), NOT_FOUND, 'a step forwards is followed')
    now_s = now_s - 7200
    t:is(select(3, entries.insert('y', ONE, 1)), (now_s + 1) * 1000, 'and a long one backwards as well')
end)

clock.monotonic = real_monotonic
support.finish(test)
