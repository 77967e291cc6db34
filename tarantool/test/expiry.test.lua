local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local clock = require('clock')
local disk = require('disk')
local fiber = require('fiber')
local log = require('log')
local msgpack = require('msgpack')
local tap = require('tap')

-- The test sets the clock, so it never waits for an entry to expire.
local now_s = 1700000000
clock.time = function() return now_s end

support.start_here()
local expiry = require('kv.expiry')
-- The result does not depend on this time.
expiry.idle_seconds = 0.02
local sweeper = expiry.start()
require('kv.schema').apply()
local entries = require('kv.entries')
local outcome = require('kv.outcome')
local inflight = require('kv.inflight')

local ONE = msgpack.encode({n = 1})
local TWO = msgpack.encode({n = 2})

local function counts()
    return {box.space.kv:len(), box.space.kv_expiry:len()}
end

-- How often a fiber has waited. A higher number shows that it has looked again.
local function switches(other)
    return fiber.info()[other:id()].csw
end

local function is_swept()
    return support.eventually(function()
        return box.space.kv_expiry:len() == 0
    end)
end

local test = tap.test('expiry')
test:plan(13)

-- Holds version.one-number-that-grows, ttl.gone-at-once.
test:test('expired entries', function(t)
    t:plan(5)
    for i = 1, 500 do
        entries.insert('short ' .. i, ONE, 10)
    end
    entries.insert('long', ONE, 1000)
    entries.insert('ever', ONE)
    local _, before = entries.upsert('ever', ONE)
    now_s = now_s + 10
    t:is(entries.get('short 1'), outcome.NOT_FOUND, 'are gone at once')
    support.eventually(function() return box.space.kv_expiry:len() == 1 end)
    t:is_deeply(counts(), {3, 1}, 'and removed soon')
    t:is(entries.get('long'), outcome.OK, 'others stay')
    t:is(inflight.of('short 500'), nil, 'nothing stays in flight')
    local _, version = entries.upsert('ever', ONE)
    t:is(version, before + 501, 'each removal takes a revision')
end)

test:test('entries that are written again', function(t)
    t:plan(3)
    entries.insert('again', ONE, 10)
    entries.insert('kept', ONE, 10)
    now_s = now_s + 10
    entries.insert('again', TWO, 10)
    support.eventually(function() return box.space.kv:get('kept') == nil end)
    local _, tuple = entries.get('again')
    t:is(tuple.value.n, 2, 'are not removed')
    t:is_deeply(counts(), {4, 2}, 'nor their end')
    entries.delete('again')
    t:is_deeply(counts(), {3, 1}, 'which goes with them')
end)

test:test('a disk that is full', function(t)
    t:plan(4)
    entries.insert('full', ONE, 10)
    disk.fill()
    now_s = now_s + 10
    local store = require('kv.store')
    local write_all, failures = store.write_all, 0
    local warn, lines = log.warn, {}
    log.warn = function(format, ...) table.insert(lines, format:format(...)) end
    store.write_all = function(changes)
        local ok, problem = pcall(write_all, changes)
        failures = failures + (ok and 0 or 1)
        error(problem, 0)
    end
    t:ok(support.eventually(function() return failures > 2 and #lines > 2 end), 'is tried')
    store.write_all = write_all
    log.warn = warn
    local said = {}
    for i = 1, 3 do
        said[i] = lines[i]:match('^expiry: not all was removed, and will be tried again in ([%d.]+) s: .*[Dd]isk')
    end
    t:is_deeply(said, {'0.02', '0.04', '0.08'}, 'less and less often, and it is said')
    t:ok(box.space.kv:get('full') ~= nil and box.space.kv_expiry:len() == 2, 'and nothing is removed')
    disk.free()
    t:ok(support.eventually(function() return box.space.kv:get('full') == nil end), 'until there is room again')
end)

test:test('the pause after a failure', function(t)
    t:plan(1)
    local before = switches(sweeper)
    support.eventually(function() return switches(sweeper) > before + 2 end)
    entries.insert('fails', ONE, 10)
    now_s = now_s + 10
    local store = require('kv.store')
    local write_all, warn, first = store.write_all, log.warn, nil
    store.write_all = function() error('fails', 0) end
    log.warn = function(format, ...) first = first or format:format(...) end
    support.eventually(function() return first ~= nil end)
    store.write_all, log.warn = write_all, warn
    t:is(first, 'expiry: not all was removed, and will be tried again in 0.02 s: fails', 'is short again after a success')
    support.eventually(function() return box.space.kv:get('fails') == nil end)
end)

test:test('a store without expired entries', function(t)
    t:plan(1)
    local store_time = require('kv.time')
    local now_ms, asked = store_time.now_ms, 0
    store_time.now_ms = function()
        asked = asked + 1
        return now_ms()
    end
    local from = fiber.clock()
    support.eventually(function() return asked >= 5 end)
    local looks = (fiber.clock() - from) / expiry.idle_seconds
    store_time.now_ms = now_ms
    t:ok(asked <= looks + 2, 'is looked at once in a while')
end)

test:test('the rest after a batch', function(t)
    t:plan(1)
    t:is_deeply({expiry.rest(0), expiry.rest(60), expiry.rest(120), expiry.rest(1000)}, {8, 4.5, 1, 1},
        'is shorter the longer the oldest entry has been expired')
end)

test:test('a read-only instance', function(t)
    t:plan(4)
    entries.insert('ro', ONE, 10)
    box.cfg({read_only = true})
    now_s = now_s + 10
    t:is(entries.get('ro'), outcome.NOT_FOUND, 'does not show them')
    local warn, warnings = log.warn, 0
    log.warn = function() warnings = warnings + 1 end
    local before = switches(sweeper)
    support.eventually(function() return switches(sweeper) > before + 2 end)
    log.warn = warn
    t:is(warnings, 0, 'does not try to')
    t:ok(box.space.kv:get('ro') ~= nil, 'and does not remove them')
    box.cfg({read_only = false})
    t:ok(support.eventually(function() return box.space.kv:get('ro') == nil end), 'until it is not')
end)

test:test('endings that no entry has', function(t)
    t:plan(2)
    box.space.kv_expiry:insert({1, 'no entry'})
    box.space.kv_expiry:insert({2, 'ever'})
    support.eventually(function() return box.space.kv_expiry:len() == 1 end)
    t:is(box.space.kv_expiry:len(), 1, 'are removed')
    t:is(entries.get('ever'), outcome.OK, 'and no entry with them')
end)

test:test('removal under way', function(t)
    t:plan(2)
    -- An entry that is written again may have an expiry time again, so the write goes ahead on top of the removal.
    entries.insert('race', ONE, 10)
    now_s = now_s + 10
    support.eventually(function() return box.space.kv:get('race') == nil end)
    local result, _, _, created = entries.upsert('race', TWO)
    t:is_deeply({result, created}, {outcome.OK, true}, 'does not disturb a writer')
    local _, tuple = entries.get('race')
    t:is(tuple.value.n, 2, 'whose entry stays')
    entries.delete('race')
end)

-- Holds ttl.memory-given-back.
test:test('many', function(t)
    t:plan(3)
    entries.delete('long')
    local COUNT = 5000
    local before = box.slab.info().items_used
    support.all_at_once(COUNT, function(i)
        entries.insert('many ' .. i, ONE, 10)
    end)
    now_s = now_s + 10
    local most, over = 0, false
    local watch = fiber.new(function()
        local left = box.space.kv_expiry:len()
        while not over do
            fiber.sleep(0)
            most, left = math.max(most, left - box.space.kv_expiry:len()), box.space.kv_expiry:len()
        end
    end)
    watch:set_joinable(true)
    t:ok(is_swept(), 'are removed')
    over = true
    watch:join()
    t:ok(most > 0 and most <= 2 * 256, 'a few between two turns of any other')
    local function is_free()
        -- Lua may still hold tuples that are no longer needed.
        collectgarbage()
        return box.slab.info().items_used < before * 1.1 + 200000
    end
    t:ok(support.eventually(is_free), 'and their memory is free again')
end)

test:test('removals that do not settle', function(t)
    t:plan(3)
    support.all_at_once(2000, function(i)
        entries.insert('unsettled ' .. i, ONE, 10)
    end)
    now_s = now_s + 10
    local store = require('kv.store')
    local write_all, under_way, may_settle = store.write_all, 0, fiber.cond()
    store.write_all = function(changes)
        write_all(changes)
        under_way = under_way + 1
        may_settle:wait()
    end
    t:ok(support.eventually(function() return under_way == 8 end), 'are eight')
    t:ok(not support.eventually(function() return under_way > 8 end, 0.1), 'and no more')
    store.write_all = write_all
    may_settle:broadcast()
    t:ok(is_swept(), 'and then all goes on')
end)

test:test('one look', function(t)
    t:plan(4)
    -- The sweeper looks again only when it is woken.
    expiry.idle_seconds = 1000
    local before = switches(sweeper)
    support.eventually(function() return switches(sweeper) > before end)
    -- No batch takes any time.
    local monotonic = clock.monotonic
    clock.monotonic = function() return 1 end
    local store = require('kv.store')
    local write_all, sizes = store.write_all, {}
    store.write_all = function(changes)
        table.insert(sizes, #changes)
        return write_all(changes)
    end
    local function look(strays)
        sizes = {}
        support.all_at_once(100, function(i)
            entries.insert('look ' .. i, ONE, 10)
        end)
        sizes = {}
        now_s = now_s + 10
        for i = 1, strays do
            box.space.kv_expiry:insert({i, 'no entry'})
        end
        sweeper:wakeup()
        return is_swept()
    end
    t:ok(look(0), 'removes all')
    t:is_deeply(sizes, {8, 16, 24, 32, 20}, 'in batches that grow')
    t:ok(look(4), 'and endings without an entry')
    t:is(sizes[1], 4, 'which count to a batch')
    store.write_all, clock.monotonic = write_all, monotonic
end)

test:test('a sweeper that is cancelled', function(t)
    t:plan(2)
    entries.insert('cancelled', ONE, 10)
    now_s = now_s + 10
    local warn, warnings = log.warn, 0
    log.warn = function() warnings = warnings + 1 end
    -- It is cancelled while it rests between two batches.
    expiry.rest = function() return 1e9 end
    sweeper:wakeup()
    support.eventually(function() return box.space.kv:get('cancelled') == nil end)
    sweeper:cancel()
    t:ok(support.eventually(function() return sweeper:status() == 'dead' end), 'ends')
    log.warn = warn
    t:is(warnings, 0, 'and does not call that a failure')
end)

support.finish(test)
