-- Writes that can be repeated.
local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local client = require('client')
local clock = require('clock')
local disk = require('disk')
local fiber = require('fiber')
local fio = require('fio')
local msgpack = require('msgpack')
local tap = require('tap')

local now_s = 1700000000
clock.time = function() return now_s end

local MIB = 1024 * 1024

support.start_here({memtx_memory = 64 * MIB})
require('kv.schema').apply()
local changes = require('kv.changes')
local entries = require('kv.entries')
local inflight = require('kv.inflight')
local outcome = require('kv.outcome')
local retries = require('kv.retries')
local run = require('kv.txn').run
local OK, REPLAYED, REUSED, FULL, UNSETTLED = outcome.OK, outcome.REPLAYED, outcome.REUSED, outcome.FULL, outcome.UNSETTLED
local NULL = msgpack.NULL
local begin, join = support.begin, support.join

local ONE, TWO = msgpack.encode({n = 1}), msgpack.encode({n = 2})
local ANSWER = 5

changes.start(MIB):cancel()
retries.start(MIB, 600):cancel()

local function retry(key, fingerprint, of_client)
    return {of_client or '', key, fingerprint or 'print of ' .. key}
end

-- The answer that is recorded, as a table, or nil.
local function recorded(key, of_client)
    local record = box.space.kv_retries:get({of_client or '', key})
    return record and record:totable()[ANSWER]
end

-- Runs a write, and says how many changes and records it made.
local function made_by(write, ...)
    local changes_before, records_before = box.space.kv_changes:len(), box.space.kv_retries:len()
    write(...)
    return {box.space.kv_changes:len() - changes_before, box.space.kv_retries:len() - records_before}
end

local function value_of(key)
    local found, entry = entries.get(key)
    return found == OK and entry.value.n or nil
end

local test = tap.test('retries')
test:plan(17)

test:test('each write', function(t)
    local cases = {
        {'insert', entries.insert, {'a', ONE, 10}},
        {'update', entries.update, {'a', TWO, 'keep', '*'}},
        {'upsert', entries.upsert, {'a', ONE, nil, nil, false}, 5},
        {'upsert that creates', entries.upsert, {'b', ONE, nil, nil, true}, 5},
        {'touch', entries.touch, {'a', 20, nil}, 3},
        {'delete', entries.delete, {'b', nil}, 2},
        {'txn', run, {nil, {{'update', 'a', TWO}, {'get', 'a'}, {'insert', 'c', ONE}}, nil, false}, 4},
    }
    t:plan(5 * #cases)
    for _, case in ipairs(cases) do
        local name, write, arguments, count = unpack(case)
        count = count or #arguments
        arguments[count + 1] = retry(name)
        local first = {write(unpack(arguments, 1, count + 1))}
        t:is(first[1], OK, name)
        local again, record
        t:is_deeply(made_by(function()
            again, record = write(unpack(arguments, 1, count + 1))
        end), {0, 0}, 'changes nothing when it is repeated')
        t:is(again, REPLAYED, 'is replayed')
        local answer = record:totable()[ANSWER]
        t:is_deeply({answer[1], answer[2]}, {OK, first[2]}, 'as it was')
        arguments[count + 1] = retry(name, 'another')
        t:is_deeply({write(unpack(arguments, 1, count + 1))}, {REUSED}, 'and its key is for this request only')
    end
end)

test:test('what is recorded', function(t)
    t:plan(5)
    local ends = (now_s + 10) * 1000
    t:is(recorded('insert')[3], ends, 'holds the end of the entry')
    t:is_deeply({recorded('upsert')[4], recorded('upsert that creates')[4]}, {false, true}, 'and whether it was created')
    t:is_deeply(recorded('delete'), {OK, recorded('delete')[2], NULL, false}, 'in the same form for each write')
    local txn = recorded('txn')
    t:is_deeply({txn[3], #txn[4], txn[4][2][2][1]}, {1, 3, 'a'}, 'and all results of a transaction')
    local value = '\x84\xa1z\x01\xa1a\x02\xa1m\x80\xa1b\x90'
    entries.upsert('order', value)
    run(nil, {{'get', 'order'}}, nil, false, retry('order'))
    local _, record = run(nil, {{'get', 'order'}}, nil, false, retry('order'))
    t:ok(msgpack.encode(record):find(value, 1, true), 'with the members of values in their order')
end)

test:test('a write without a key', function(t)
    t:plan(2)
    t:is_deeply(made_by(entries.upsert, 'plain', ONE), {1, 0}, 'is not recorded')
    t:is_deeply(made_by(entries.upsert, 'plain', ONE, nil, nil, false, NULL), {1, 0}, 'nor with a null over the wire')
end)

test:test('a store without a log of changes', function(t)
    t:plan(3)
    changes.start(0)
    t:is_deeply(made_by(entries.upsert, 'unlogged', ONE, nil, nil, false, retry('unlogged')), {0, 1}, 'records')
    t:is_deeply(made_by(entries.delete, 'unlogged', nil, retry('unlogged too')), {0, 1}, 'every write')
    t:is(entries.delete('unlogged', nil, retry('unlogged too')), REPLAYED, 'and replays it')
    changes.start(MIB):cancel()
end)

test:test('a refusal', function(t)
    t:plan(6)
    t:is(entries.update('missing', ONE, nil, nil, retry('refused')), outcome.NOT_FOUND, 'is an answer')
    t:is(recorded('refused'), nil, 'and not recorded')
    t:is(entries.insert('a', ONE, nil, retry('refused')), outcome.EXISTS, 'its key is free')
    t:is((run({{'a', 'exists', false}}, {}, nil, false, retry('refused'))), outcome.ABORTED, 'for whatever')
    t:is_deeply(made_by(run, nil, {{'update', 'missing', ONE}}, nil, false, retry('refused')), {0, 0}, 'is refused')
    t:is(entries.upsert('a', ONE, nil, nil, false, retry('refused')), OK, 'until a request is carried out')
end)

-- The next transaction waits until the function that is returned is called, and then fails if `problem` is given.
local function hold(problem)
    local atomic, released = box.atomic, fiber.cond()
    rawset(box, 'atomic', function(...)
        rawset(box, 'atomic', atomic)
        released:wait()
        if problem ~= nil then
            error(problem, 0)
        end
        return atomic(...)
    end)
    return function() released:broadcast() end
end

test:test('clients', function(t)
    t:plan(3)
    t:is(entries.upsert('mine', ONE, nil, nil, false, retry('shared', 'x', 'one')), OK, 'have keys of their own')
    t:is(entries.upsert('mine', TWO, nil, nil, false, retry('shared', 'y', 'two')), OK, 'which do not meet')
    local release = hold()
    local slow = begin(entries.upsert, 'slow', ONE, nil, nil, false, retry('slow', 'x', 'one'))
    local other = entries.upsert('other', ONE, nil, nil, false, retry('eslow', 'y', 'on'))
    release()
    t:is_deeply({join(slow).result, other}, {OK, OK}, 'nor wait for each other')
end)

test:test('a transaction that changes nothing', function(t)
    t:plan(4)
    t:is_deeply(made_by(run, nil, {{'get', 'a'}, {'get', 'missing'}}, nil, false, retry('reads')), {0, 1}, 'is recorded alone')
    local n = value_of('a')
    entries.update('a', n == 1 and TWO or ONE)
    run(nil, {{'get', 'a'}}, nil, false, retry('reads'))
    t:is_deeply({recorded('reads')[4][1][2][2].n, recorded('reads')[4][2]}, {n, {outcome.NOT_FOUND}}, 'with what it read')
    local passing = {{'insert', 'passing', ONE}, {'delete', 'passing'}}
    t:is_deeply(made_by(run, nil, passing, nil, false, retry('passing')), {0, 1}, 'also where it wrote')
    t:is(run(nil, passing, nil, false, retry('passing')), REPLAYED, 'and is replayed')
end)

test:test('a transaction that reads much', function(t)
    t:plan(4)
    entries.insert('large', msgpack.encode({text = ('x'):rep(17000)}))
    local operations = {{'upsert', 'beside', ONE}, {'get', 'large'}}
    local ok, problem
    t:is_deeply(made_by(function()
        ok, problem = pcall(run, nil, operations, nil, true, retry('much'))
    end), {0, 0}, 'does nothing')
    t:is(not ok and problem.code, box.error.MEMTX_MAX_TUPLE_SIZE, 'and is refused')
    t:is((run(nil, operations, nil, true)), OK, 'but not without a key')
    t:is((run(nil, operations, nil, false)), outcome.LARGE, 'where it is told how large it is')
end)

-- Holds retry.one-transaction.
test:test('a write that fails', function(t)
    t:plan(5)
    local before = value_of('a')
    disk.fill()
    local write = begin(entries.update, 'a', msgpack.encode({n = 99}), nil, nil, retry('failed'))
    t:ok(recorded('failed') ~= nil, 'is recorded together with its change')
    local reading = begin(run, nil, {{'get', 'a'}}, nil, false, retry('failed alone'))
    join(write)
    join(reading)
    disk.free()
    t:ok(not write.ok and not reading.ok, 'is a failure')
    t:is_deeply({recorded('failed'), recorded('failed alone')}, {}, 'without a record')
    t:is(value_of('a'), before, 'and without a change')
    t:is(entries.update('a', ONE, nil, nil, retry('failed')), OK, 'and may be tried again')
end)

test:test('the same write several times at once', function(t)
    t:plan(4)
    local all = {}
    t:is_deeply(made_by(function()
        for i = 1, 10 do
            all[i] = begin(entries.insert, 'together', ONE, nil, retry('together'))
        end
        t:ok(not all[10].done, 'waits for the first one')
        for i = 1, 10 do
            join(all[i])
        end
    end), {1, 1}, 'is carried out once')
    local outcomes = {}
    for i = 1, 10 do
        outcomes[i] = all[i].results[1]
    end
    table.sort(outcomes)
    t:is_deeply(outcomes, {OK, REPLAYED, REPLAYED, REPLAYED, REPLAYED, REPLAYED, REPLAYED, REPLAYED, REPLAYED, REPLAYED},
        'and the others are replayed')
    local found = {(retries.find(retry('together'))), (retries.find(retry('together', 'another')))}
    t:is_deeply(found, {REPLAYED, REUSED}, 'as whoever asks is told')
end)

test:test('a first one that fails', function(t)
    t:plan(4)
    local release = hold('no')
    local first = begin(entries.upsert, 'second try', ONE, nil, nil, false, retry('second try'))
    local second = begin(entries.upsert, 'second try', ONE, nil, nil, false, retry('second try'))
    local other = begin(retries.find, retry('second try'))
    t:ok(not second.done and not other.done, 'is awaited')
    release()
    join(first)
    join(second)
    join(other)
    t:is(first.result, 'no', 'leaves nothing')
    t:is(second.result, OK, 'and the next one is carried out')
    t:is(other.results[1] == REPLAYED or other.results[1] == OK, true, 'and whoever asks is told')
end)

-- Holds limit.same-write.
test:test('a first one that does not settle', function(t)
    t:plan(4)
    local release = hold()
    local deadline = inflight.deadline
    inflight.deadline = function() return fiber.clock() + 0.02 end
    local first = begin(entries.upsert, 'slow', ONE, nil, nil, false, retry('slow'))
    t:is_deeply({entries.upsert('slow', ONE, nil, nil, false, retry('slow'))}, {UNSETTLED}, 'leaves open whether it is carried out')
    t:is_deeply({retries.find(retry('slow'))}, {UNSETTLED}, 'for whoever asks')
    inflight.deadline = deadline
    release()
    t:is(join(first).result, OK, 'and goes on')
    t:is(entries.upsert('slow', ONE, nil, nil, false, retry('slow')), REPLAYED, 'and is replayed then')
end)

-- Holds retry.kept, setting.idempotency-ttl.
test:test('the time of a record', function(t)
    t:plan(3)
    retries.idle_seconds = 0.01
    box.space.kv_retries:truncate()
    local keeper = retries.start(MIB, 600)
    for i = 1, 300 do
        entries.upsert('timed', ONE, nil, nil, false, retry('early ' .. i))
    end
    now_s = now_s + 1
    entries.upsert('timed', ONE, nil, nil, false, retry('late'))
    now_s = now_s + 599
    fiber.sleep(0.05)
    t:is(box.space.kv_retries:len(), 301, 'is whole')
    now_s = now_s + 1
    t:ok(support.eventually(function() return box.space.kv_retries:len() == 1 end), 'and then it is removed')
    t:ok(recorded('late') ~= nil, 'and no other')
    keeper:cancel()
end)

test:test('records from while the clock was wrong', function(t)
    t:plan(3)
    local right_s = now_s
    now_s = right_s + 1000000
    local keeper = retries.start(MIB, 600)
    for i = 1, 200 do
        entries.upsert('timed', ONE, nil, nil, false, retry('future ' .. i))
    end
    now_s = right_s
    t:ok(support.eventually(function()
        return tonumber(box.space.kv_retries.index.age:max().at) == right_s * 1000
    end), 'begin their time when it is right again')
    now_s = right_s + 600
    fiber.sleep(0.05)
    t:ok(recorded('future 200') ~= nil, 'which is whole')
    now_s = right_s + 601
    t:ok(support.eventually(function() return box.space.kv_retries:len() == 0 end), 'and ends')
    keeper:cancel()
end)

test:test('records that cannot be removed', function(t)
    t:plan(2)
    local log, warnings = require('log'), {}
    local warn = log.warn
    log.warn = function(format, ...) table.insert(warnings, format:format(...)) end
    entries.upsert('timed', ONE, nil, nil, false, retry('stuck'))
    now_s = now_s + 1000
    local atomic = box.atomic
    rawset(box, 'atomic', function() error('not now', 0) end)
    local keeper = retries.start(MIB, 600)
    t:ok(support.eventually(function() return #warnings > 1 end), 'are told of')
    rawset(box, 'atomic', atomic)
    t:ok(support.eventually(function() return box.space.kv_retries:len() == 0 end), 'and removed later')
    log.warn = warn
    keeper:cancel()
end)

-- Holds retry.bounded, limit.idempotency-keys, setting.idempotency-memory.
test:test('no room for a record', function(t)
    t:plan(7)
    local BYTES = 10000
    retries.start(BYTES, 600):cancel()
    local count = 0
    local function write(i)
        return entries.upsert('room', ONE, nil, nil, false, retry('room ' .. i))
    end
    while write(count + 1) == OK do
        count = count + 1
    end
    t:ok(count > 40 and count < 100, 'is found by the bytes')
    t:ok(tonumber(box.space.kv_retries:bsize()) + 80 * count <= BYTES, 'which are never more than they may')
    t:is_deeply(made_by(function() t:is(write(count + 1), FULL, 'is told') end), {0, 0}, 'and nothing is done')
    t:is(write(1), REPLAYED, 'the oldest record is still there')
    t:is((run(nil, {{'get', 'room'}}, nil, false, retry('room for a transaction'))), FULL, 'for transactions too')
    t:is(entries.upsert('room', ONE), OK, 'writes without a key go on')
end)

-- Holds retry.kept.
test:test('after a kill', function(t)
    t:plan(6)
    local SOCKET = fio.pathjoin(support.folder, 'kv.sock')
    local function start()
        local child = support.spawn_instance({IDEMPOTENCY_TTL = '60'})
        support.is_ready(child)
        return child, client.connect('unix/', SOCKET, 'api_user', support.password)
    end
    local child, user = start()
    local first = user:call('kv.insert', 'a', ONE, 100, retry('a')).data
    local both = user:call('kv.txn', {}, {{'get', 'a'}, {'insert', 'b', ONE}}, NULL, false, retry('b')).data
    t:is_deeply({first[1], both[1]}, {OK, OK}, 'what was carried out')
    child.handle:kill()
    child.wait()
    child, user = start()
    local replayed = user:call('kv.insert', 'a', ONE, 100, retry('a')).data
    t:is(replayed[1], REPLAYED, 'is replayed')
    t:is_deeply(replayed[2][ANSWER], {OK, first[2], first[3], true}, 'as it was')
    replayed = user:call('kv.txn', {}, {{'get', 'a'}, {'insert', 'b', ONE}}, NULL, false, retry('b')).data
    t:is_deeply({replayed[1], replayed[2][ANSWER]}, {REPLAYED, both}, 'also a transaction')
    t:is_deeply(user:call('kv.find_retry', retry('b', 'another')).data, {REUSED}, 'and its key is known')
    t:is_deeply(user:call('kv.find_retry', retry('c')).data, {OK}, 'and no other')
    child.handle:shutdown({stdin = true})
    child.wait()
end)

support.finish(test)
