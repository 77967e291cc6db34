-- An entry that has expired while a write that keeps it alive is on its way to the disk. No answer may say that it is
-- gone, or it would be there again with no insert between.
local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local clock = require('clock')
local client = require('client')
local disk = require('disk')
local fiber = require('fiber')
local fio = require('fio')
local msgpack = require('msgpack')
local slow_disk = require('slow_disk')
local tap = require('tap')

-- The test sets the clock. Whatever starts before the first yield finds the log record on its way, however fast the
-- disk is.
local now_s = 1700000000
local real_time = clock.time
clock.time = function() return now_s end

support.start_here()
require('kv.schema').apply()
local entries = require('kv.entries')
local inflight = require('kv.inflight')
local list = require('kv.listing').list
local outcome = require('kv.outcome')
local run = require('kv.txn').run
local OK, NOT_FOUND, EXISTS, ABORTED = outcome.OK, outcome.NOT_FOUND, outcome.EXISTS, outcome.ABORTED
local begin, join = support.begin, support.join

local NULL = msgpack.NULL
local ONE = msgpack.encode({n = 1})

-- Starts writes of an entry that has one second to live. They begin within that second, and are still in flight when
-- it has passed.
local function late(...)
    local writes = {}
    for i, write in ipairs({...}) do
        writes[i] = begin(unpack(write))
    end
    now_s = now_s + 1
    return writes
end

local function join_all(writes)
    for _, write in ipairs(writes) do
        join(write)
    end
end

local function keys(options)
    local _, rows, continue = list(options)
    local found = {}
    for i, tuple in ipairs(rows) do
        found[i] = tuple[1]
    end
    return found, continue
end

local READS = {
    get = {function(key) return (entries.get(key)) end, OK, NOT_FOUND},
    ['a list'] = {function(key) return #keys({prefix = key}) end, 1, 0},
    ['a list of keys in reverse'] = {function(key) return #keys({prefix = key, reverse = true}) end, 1, 0},
    ['a transaction that reads'] = {function(key) return select(4, run(NULL, {{'get', key}}))[1][1] end, OK, NOT_FOUND},
    ['a comparison'] = {function(key) return (run({{key, 'exists', true}}, {})) end, OK, ABORTED},
    ['a comparison that refuses a write'] = {
        function(key) return (run({{key, 'exists', false}}, {{'insert', key .. ' other', ONE}})) end, ABORTED, OK,
    },
    ['a refused insert'] = {function(key) return (entries.insert(key, ONE)) end, EXISTS, OK},
    ['a refused if_match'] = {
        function(key) return (entries.update(key, ONE, nil, {0})) end, outcome.PRECONDITION_FAILED, NOT_FOUND,
    },
}

local KEEPERS = {
    ['a touch'] = {{entries.touch, 100}},
    ['a touch for ever'] = {{entries.touch}},
    ['an update without an end'] = {{entries.update, ONE}},
    ['an update that keeps the end, then a touch'] = {{entries.update, ONE, 'keep'}, {entries.touch, 100}},
}

local test = tap.test('unsettled')
test:plan(8)

entries.delete('state')

local function each_read(t, fails)
    local count = 0
    for keeper_name, keeper in pairs(KEEPERS) do
        for name, read in pairs(READS) do
            count = count + 1
            local key = ('%s, %s, %s;'):format(keeper_name, name, fails)
            entries.insert(key, ONE, 1)
            if fails then
                disk.fill()
            end
            local calls = {}
            for i, call in ipairs(keeper) do
                calls[i] = {call[1], key, unpack(call, 2, 3)}
            end
            local writes = late(unpack(calls))
            local reading = begin(read[1], key)
            local waited = not reading.done
            join_all(writes)
            disk.free()
            join(reading)
            if not waited or reading.result ~= (fails and read[3] or read[2]) then
                t:fail(('%s: waited %s, answered %s'):format(key, waited, tostring(reading.result)))
            end
        end
    end
    t:is(count, 32, 'reads and keepers')
end

-- Holds entry.durable-answers-only.
test:test('what would be gone by time', function(t)
    t:plan(1)
    each_read(t, false)
end)

-- Holds entry.durable-answers-only.
test:test('what is gone by time, because the write fails', function(t)
    t:plan(1)
    each_read(t, true)
end)

test:test('refusals', function(t)
    t:plan(4)
    entries.insert('r', ONE, 1)
    -- On disk the entry has expired, in the space it is removed, and the write between the two keeps it alive.
    local writes = late({entries.touch, 'r', 100}, {entries.delete, 'r'})
    local update, read = begin(entries.update, 'r', ONE), begin(entries.get, 'r')
    local aborted = begin(run, {{'r', 'exists', true}}, {{'delete', 'r'}})
    t:ok(not update.done and not read.done and not aborted.done, 'wait for each write that leaves something alive')
    join_all(writes)
    t:is(join(update).result, NOT_FOUND, 'then the removal counts')
    t:is(join(read).ok, true, 'for reads')
    t:is(join(aborted).result, ABORTED, 'and transactions')
end)

test:test('what is known to be gone', function(t)
    t:plan(4)
    entries.insert('k', ONE, 1)
    local writes = late({entries.delete, 'k'})
    t:is(begin(entries.get, 'k').result, NOT_FOUND, 'a removal under way is not waited for')
    join_all(writes)
    entries.insert('k', ONE, 1)
    writes = late({entries.update, 'k', ONE, 'keep'})
    t:is(begin(entries.get, 'k').result, NOT_FOUND, 'nor a write that leaves what has expired as well')
    join_all(writes)
    entries.insert('k', ONE, 1)
    writes = late({entries.delete, 'k'}, {entries.insert, 'k', ONE})
    t:is(begin(entries.get, 'k').result, NOT_FOUND, 'nor what comes after a removal')
    join_all(writes)
    t:is(entries.get('k'), OK, 'which is seen when it is on disk')
end)

test:test('a list', function(t)
    t:plan(3)
    entries.insert('l1', ONE)
    entries.insert('l2', ONE, 1)
    entries.insert('l3', ONE)
    local writes = late({entries.touch, 'l2', 100})
    t:is_deeply({keys({prefix = 'l'})}, {{'l1'}, 'l1'}, 'ends before what it cannot know')
    local rest = begin(keys, {prefix = 'l', after = 'l1'})
    t:ok(not rest.done, 'and the next page waits')
    join_all(writes)
    t:is_deeply(join(rest).results[1], {'l2', 'l3'}, 'and shows it')
end)

test:test('a wait has a bound', function(t)
    t:plan(4)
    local release = fiber.cond()
    entries.insert('b', ONE, 1)
    local before = box.space.kv:get('b')
    local after = before:update({{'=', 4, before[4] + 100000}})
    box.space.kv:replace(after)
    local stuck = begin(inflight.run, 'b', before, after, function() release:wait() end)
    now_s = now_s + 1
    local reads = {
        begin(entries.get, 'b'), begin(keys, {prefix = 'b'}), begin(run, NULL, {{'get', 'b'}}),
    }
    for _, read in ipairs(reads) do
        join(read)
        t:ok(not read.ok and read.result.code == box.error.WAL_IO, 'after which it fails as a write does that the disk holds up')
    end
    release:signal()
    join(stuck)
    t:is(entries.get('b'), OK, 'and answers when the write has settled')
end)

test:test('an instance with a slow disk', function(t)
    local child = support.spawn_instance()
    support.is_ready(child)
    local function call(name, ...)
        local connection = client.connect('unix/', fio.pathjoin(support.folder, 'kv.sock'), 'api_user', support.password)
        local answer = connection:call(name, ...)
        connection:close()
        return answer.data
    end
    local _, _, ends = unpack(call('kv.insert', 'slow', ONE, 1))
    local release, problem = slow_disk.hold(child.pid)
    if release == nil then
        t:plan(1)
        t:skip('nobody may trace a process here: ' .. problem)
        return
    end
    t:plan(2)
    local touch = begin(call, 'kv.touch', 'slow', 100)
    support.eventually(function() return real_time() * 1000 > tonumber(ends) end)
    local calls = {
        begin(call, 'kv.get', 'slow'), begin(call, 'kv.list', {prefix = 'slow', keys_only = true}),
        begin(call, 'kv.txn', {{'slow', 'exists', false}}, {}), begin(call, 'kv.insert', 'slow', ONE),
    }
    -- These calls are on their way or waiting. Other calls are answered meanwhile, so the store itself is not
    -- blocked.
    call('kv.get', 'state')
    local is_answered = touch.done
    for i = 1, #calls do
        is_answered = is_answered or calls[i].done
    end
    t:ok(not is_answered, 'says nothing of an entry that may be kept alive')
    release()
    local outcomes = {}
    for i, running in ipairs({touch, unpack(calls)}) do
        outcomes[i] = join(running).result[1]
    end
    t:is_deeply(outcomes, {OK, OK, OK, ABORTED, EXISTS}, 'and knows it when the disk has answered')
    child.handle:shutdown({stdin = true})
    child.wait()
end)

test:test('nothing stays in flight', function(t)
    t:plan(1)
    t:is(inflight.of('b') or inflight.of('k') or inflight.of('l2') or inflight.of('r'), nil, 'after all of the above')
end)

support.finish(test)
