local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local clock = require('clock')
local fiber = require('fiber')
local msgpack = require('msgpack')
local tap = require('tap')

support.start_here({memtx_memory = 64 * 1024 * 1024, wal_mode = 'none'})
require('kv.schema').apply()
local entries = require('kv.entries')
local outcome = require('kv.outcome')
local txn = require('kv.txn')
local keeper = require('kv.reserve').start()

local function value(bytes)
    return msgpack.encode({text = ('x'):rep(bytes)})
end

local BYTES = 2000
local VALUE = value(BYTES)
local TOUCHES = 5000

local function reserved()
    return box.space.kv_reserve:len()
end

local count = 0

-- Until several in a row find no memory. Every second one has an end.
local function fill_memory()
    local failed = 0
    while failed < 10 do
        local ok = pcall(entries.insert, 'key ' .. count + 1, VALUE, count % 2 == 0 and 1000 or nil)
        count = ok and count + 1 or count
        failed = ok and 0 or failed + 1
        if count % (1000000 / BYTES) == 0 then
            -- Not faster than requests can come.
            fiber.sleep(0.01)
        end
    end
end

-- Whether operation(key) succeeds, while after each of them another client tries to insert. One of a hundred may come while Lua may
-- not collect garbage again so soon.
local inserted = 0
local function succeed(operation)
    local succeeded = 0
    for i = 1, TOUCHES do
        -- Spread over all slabs.
        local ok, result = pcall(operation, 'key ' .. (i * 7919 % count + 1))
        succeeded = succeeded + (ok and result == outcome.OK and 1 or 0)
        inserted = inserted + (pcall(entries.insert, 'other ' .. i, VALUE) and 1 or 0)
        if i % 100 == 0 then
            -- Not faster than requests can come. Others have their turn, the keeper of the reserve as well.
            fiber.sleep(0.005)
        end
    end
    return succeeded >= 0.99 * TOUCHES
end

local test = tap.test('reserve')
test:plan(7)

test:test('a full memory', function(t)
    t:plan(5)
    t:ok(box.space.kv_reserve.temporary, 'has a reserve that is not logged')
    fill_memory()
    t:is(reserved(), 270, 'leaves the reserve')
    local ok, problem = pcall(entries.insert, 'one more', VALUE)
    t:ok(not ok and problem.type == 'OutOfMemory', 'refuses inserts')
    t:ok(not pcall(entries.update, 'key 1', value(BYTES + 100)), 'and updates to something larger')
    t:is(entries.get('one more'), outcome.NOT_FOUND, 'which write nothing')
end)

test:test('a write that finds no memory', function(t)
    t:plan(4)
    local reserve = require('kv.reserve')
    -- A garbage collection takes very long, and nothing else takes any time.
    local monotonic, collect, now_s = clock.monotonic, collectgarbage, clock.monotonic() + 1e6
    clock.monotonic = function() return now_s end
    rawset(_G, 'collectgarbage', function(...)
        now_s = now_s + 1000
        return collect(...)
    end)
    for i = count - 49, count do
        -- Lua holds the memory of the tuple from now on.
        box.space.kv:get('key ' .. i)
        entries.delete('key ' .. i)
    end
    t:is(entries.insert('key ' .. count - 49, VALUE), outcome.OK, 'has Lua collect its garbage, and tries again')
    count = count - 49
    fill_memory()
    t:ok(not reserve.is_lent(), 'what needs more memory does not get the reserve')
    local ok, result = pcall(entries.touch, 'key 1', 10)
    t:ok(ok and result == outcome.OK, 'what needs no more gets it at once')
    t:ok(reserve.is_lent(), 'where no garbage may be collected so soon')
    -- The clock does not go back.
    clock.monotonic = function() return now_s + monotonic() end
    rawset(_G, 'collectgarbage', collect)
end)

test:test('what leaves no more than there was goes on, whatever others try to insert', function(t)
    t:plan(8)
    t:ok(succeed(function(key) return entries.touch(key, 10) end), 'touches that shorten lives')
    t:ok(succeed(function(key) return entries.touch(key, 2000) end), 'touches that lengthen them')
    t:ok(succeed(function(key) return entries.touch(key) end), 'touches that take ends away')
    t:ok(succeed(function(key) return entries.update(key, VALUE) end), 'updates to something as large')
    t:ok(succeed(function(key) return txn.run(nil, {{'touch', key, nil, 10}}) end), 'transactions')
    t:ok(inserted < TOUCHES / 2, ('while hardly anything is inserted (%d)'):format(inserted))
    t:ok(not pcall(entries.update, 'key 1', value(BYTES + 100)), 'nor made larger')
    t:ok(succeed(function(key) return entries.update(key, value(10)) end), 'updates to something smaller')
end)

test:test('as much as was given back', function(t)
    t:plan(2)
    fill_memory()
    t:is(entries.touch('key 1', 10), outcome.OK, 'from the reserve')
    for i = count - 19, count do
        entries.delete('key ' .. i)
    end
    local again = 0
    support.eventually(function()
        again = again + (pcall(entries.insert, 'again ' .. again, VALUE) and 1 or 0)
        return again == 20
    end, 5)
    t:is(again, 20, 'can be inserted again')
end)

test:test('the reserved revisions', function(t)
    t:plan(1)
    local revision = require('kv.revision')
    t:ok(pcall(revision.wait, fiber.clock() + 1), 'can be renewed, or nothing could be deleted')
end)

test:test('when there is room again', function(t)
    t:plan(3)
    while box.space.kv:len() > 0 do
        entries.delete(box.space.kv.index.ordered:min().key)
    end
    t:ok(support.eventually(function()
        -- Lua may still hold tuples that nothing needs.
        collectgarbage()
        return reserved() == 270
    end), 'it is taken back')
    t:ok(support.eventually(function() return not require('kv.reserve').is_lent() end), 'and lent to nobody')
    t:is(entries.insert('one more', VALUE), outcome.OK, 'and inserts go on')
end)

test:test('its keeper', function(t)
    t:plan(1)
    keeper:cancel()
    t:ok(support.eventually(function() return keeper:status() == 'dead' end), 'can be cancelled')
end)

support.finish(test)
