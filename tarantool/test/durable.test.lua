local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local disk = require('disk')
local fiber = require('fiber')
local msgpack = require('msgpack')
local tap = require('tap')

support.start_here()
require('kv.schema').apply()
local entries = require('kv.entries')
local inflight = require('kv.inflight')
local outcome = require('kv.outcome')

local ONE = msgpack.encode({n = 1})
local TWO = msgpack.encode({n = 2})

local begin, join = support.begin, support.join

local function value(key)
    local _, tuple = entries.get(key)
    return tuple and tuple.value.n
end

local test = tap.test('durable')
test:plan(11)

-- The first write of a process reserves revisions, which would make it wait before it begins.
entries.insert('first', ONE)

-- Holds entry.durable-answers-only.
test:test('an insert that fails', function(t)
    t:plan(6)
    disk.fill()
    local write = begin(entries.insert, 'a', ONE)
    t:ok(not write.done and box.space.kv:get('a') ~= nil, 'is seen by the space before it is written')
    t:is(entries.get('a'), outcome.NOT_FOUND, 'get does not see it')
    local removal = begin(entries.update, 'a', TWO)
    local refusal = begin(entries.insert, 'a', TWO)
    t:ok(not refusal.done, 'an insert of the key does not answer EXISTS')
    t:ok(not join(write).ok and write.result.code == box.error.WAL_IO, 'it fails')
    t:ok(not join(removal).ok, 'and so does the update on top of it')
    disk.free()
    t:is(join(refusal).ok and refusal.result, outcome.OK, 'the insert that waited decides again, and writes')
end)

-- Holds entry.durable-answers-only.
test:test('a delete that fails', function(t)
    t:plan(5)
    disk.fill()
    local write = begin(entries.delete, 'a')
    t:is(value('a'), 2, 'get still sees the entry')
    local refusal = begin(entries.delete, 'a')
    t:ok(not refusal.done, 'a second one does not answer NOT_FOUND')
    t:ok(not join(write).ok, 'it fails')
    disk.free()
    t:is(join(refusal).ok and refusal.result, outcome.OK, 'the one that waited deletes')
    t:is(entries.get('a'), outcome.NOT_FOUND, 'for good')
end)

-- Holds entry.durable-answers-only.
test:test('an update that fails', function(t)
    t:plan(4)
    entries.insert('b', ONE)
    disk.fill()
    local write = begin(entries.update, 'b', TWO)
    t:is(value('b'), 1, 'get sees the value before it')
    t:is(entries.insert('b', TWO), outcome.EXISTS, 'an insert need not wait to be refused: the key is there either way')
    t:ok(not join(write).ok, 'it fails')
    disk.free()
    t:is(value('b'), 1, 'and the value stays')
end)

-- Holds entry.durable-answers-only.
test:test('a write that succeeds', function(t)
    t:plan(4)
    local write = begin(entries.update, 'b', TWO)
    t:is(value('b'), 1, 'is not seen before it is written')
    t:is(join(write).result, outcome.OK, 'answers OK')
    t:is(value('b'), 2, 'and is seen from then on')
    t:is(require('kv.inflight').of('b'), nil, 'and nothing is remembered of it')
end)

test:test('writes one upon the other', function(t)
    t:plan(4)
    local first = begin(entries.delete, 'b')
    local second = begin(entries.insert, 'b', ONE)
    local third = begin(entries.update, 'b', TWO)
    t:is(value('b'), 2, 'are seen none before the first is written')
    t:is(join(first).result, outcome.OK, 'the first succeeds')
    t:is(join(second).result + join(third).result, outcome.OK + outcome.OK, 'and the others without having waited')
    t:is(value('b'), 2, 'the last counts')
end)

test:test('between two writes of a key', function(t)
    t:plan(4)
    local disks = {fiber.cond(), fiber.cond()}
    local first = begin(inflight.run, 'd', nil, nil, function() disks[1]:wait() end)
    -- The second write finds what the first one leaves.
    local found = box.space.kv:insert({'d', {n = 1}, 1})
    local second = begin(inflight.run, 'd', found, nil, function() disks[2]:wait() error('disk full') end)
    t:is(entries.get('d'), outcome.NOT_FOUND, 'nothing is seen before the first is written')
    disks[1]:signal()
    join(first)
    t:is(value('d'), 1, 'then what the first left')
    t:is(entries.delete('nothing'), outcome.NOT_FOUND, 'other keys do not wait')
    disks[2]:signal()
    t:ok(not join(second).ok and inflight.of('d') == nil, 'until the second has failed')
end)

test:test('a fiber that is cancelled while it waits', function(t)
    t:plan(3)
    entries.delete('b')
    local write = begin(entries.insert, 'b', ONE)
    local refusal = begin(entries.insert, 'b', ONE)
    refusal.fiber:cancel()
    join(write)
    t:is(write.result, outcome.OK, 'does not disturb the write')
    support.eventually(function() return refusal.fiber:status() == 'dead' or refusal.done end)
    t:ok(refusal.result ~= outcome.OK, 'does not write')
    t:is(require('kv.inflight').of('b'), nil, 'and leaves nothing behind')
end)

test:test('a fiber that is cancelled while it writes', function(t)
    t:plan(2)
    local write = begin(entries.update, 'b', TWO)
    write.fiber:cancel()
    support.eventually(function() return require('kv.inflight').of('b') == nil end)
    t:is(require('kv.inflight').of('b'), nil, 'leaves nothing behind')
    t:is(value('b'), 2, 'and what the log has is seen')
end)

-- Holds limit.write-under-way.
test:test('a wait has a bound', function(t)
    t:plan(3)
    local release = fiber.cond()
    -- A write whose disk does not answer: its change yields until the test releases it.
    local stuck = begin(inflight.run, 'c', nil, nil, function()
        release:wait()
    end)
    box.space.kv:insert({'c', {n = 1}, 1})
    local started = fiber.clock()
    local ok, problem = pcall(entries.insert, 'c', ONE)
    t:ok(not ok and problem.code == box.error.WAL_IO, 'after which it fails, with a code that says that nothing was written')
    t:ok(fiber.clock() - started < 1.5, 'in a second or so')
    release:signal()
    join(stuck)
    t:is(entries.insert('c', ONE), outcome.EXISTS, 'and answers when the write has settled')
end)

test:test('removals in flight', function(t)
    t:plan(5)
    local gates, writes = {}, {}
    for i = 1, 4 do
        local key = 'r' .. i
        gates[i] = fiber.channel(1)
        writes[i] = begin(inflight.run, key, box.tuple.new({key}), nil, gates[i].get, gates[i])
    end
    local function shown()
        local keys = {}
        for i, tuple in ipairs(inflight.removed()) do
            keys[i] = tuple[1]
        end
        table.sort(keys)
        return table.concat(keys, ' ')
    end
    t:is(shown(), 'r1 r2 r3 r4', 'show what they remove')
    for _, turn in ipairs({{1, 'r2 r3 r4'}, {4, 'r2 r3'}, {2, 'r3'}, {3, ''}}) do
        gates[turn[1]]:put(true)
        join(writes[turn[1]])
        t:is(shown(), turn[2], 'and no longer once they have ended, in whatever order')
    end
end)

test:test('keys that were written', function(t)
    t:plan(4)
    local function nothing() end
    local function write_many(from)
        for i = from, from + 50000 do
            inflight.run('key ' .. i, nil, ONE, nothing)
        end
        collectgarbage()
        collectgarbage()
        return collectgarbage('count')
    end
    local before = write_many(1)
    t:ok(write_many(100000) < before + 500, 'are forgotten')
    t:is(inflight.of('key 1'), nil, 'at once')
    local seen
    inflight.run('still in flight', nil, ONE, function()
        write_many(200000)
        seen = inflight.of('still in flight')
    end)
    t:ok(seen ~= nil, 'but not one whose write has not ended')
    -- The list of removals in flight. Each of them would be looked at by every page.
    local function remove_many(from)
        local commit, started = nothing, collectgarbage('count')
        for i = from, from + 20000, 2 do
            inflight.run_all({{key = 'key ' .. i, before = ONE}, {key = 'key ' .. i + 1, before = ONE}}, commit)
        end
        collectgarbage()
        collectgarbage()
        return collectgarbage('count') - started
    end
    remove_many(300000)
    t:ok(remove_many(400000) < 500, 'removals are forgotten, too')
end)

support.finish(test)
