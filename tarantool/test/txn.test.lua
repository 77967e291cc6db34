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
local outcome = require('kv.outcome')
local run = require('kv.txn').run
local OK, NOT_FOUND, ABORTED = outcome.OK, outcome.NOT_FOUND, outcome.ABORTED
local begin, join = support.begin, support.join

local NULL = msgpack.NULL
local ONE = msgpack.encode({n = 1})
local TWO = msgpack.encode({n = 2})

local function value(key)
    local _, tuple = entries.get(key)
    return tuple and tuple.value.n
end

-- The results, with the tuples of gets as tables.
local function plain(results)
    for _, result in ipairs(results) do
        if box.tuple.is(result[2]) then
            result[2] = result[2]:totable()
        end
    end
    return results
end

local test = tap.test('txn')
test:plan(13)

local _, seen = entries.insert('a', ONE)

-- Holds txn.comparisons, txn.branches, txn.aborted.
test:test('comparisons', function(t)
    t:plan(7)
    t:is_deeply({run({{'a', 'exists', true}, {'a', 'version', seen}, {'none', 'exists', false}, {'none', 'version', 0}}, {})},
        {OK, seen, 1, {}}, 'that hold')
    t:is_deeply({run({{'a', 'exists', false}, {'a', 'exists', true}, {'a', 'version', seen + 1}, {'none', 'version', 1}}, {})},
        {ABORTED, {0, 2, 3}, true}, 'that do not are all named')
    t:is_deeply({run({{'a', 'exists', false}}, {}, NULL)}, {ABORTED, {0}, true}, 'null is no failure branch')
    t:is(select(3, run({{'a', 'exists', false}}, {{'delete', 'a'}}, {{'get', 'a'}})), 0, 'a failure branch is run instead')
    t:is(value('a'), 1, 'and the other is not')
    t:is(select(3, run(NULL, {{'get', 'a'}})), 1, 'there may be none')
    t:ok(not pcall(run, {{'a', 'value', 1}}, {}), 'an unknown one is an error')
end)

-- Holds txn.all-or-none, txn.sees-its-own.
test:test('operations', function(t)
    t:plan(4)
    local result, revision, branch, results = run({}, {
        {'get', 'b'}, {'insert', 'b', ONE}, {'get', 'b'}, {'update', 'b', TWO, NULL, {seen + 1}}, {'upsert', 'c', ONE, 100},
        {'delete', 'a', NULL, NULL, {seen}}, {'get', 'a'},
    }, NULL)
    local expires_at = results[5][3]
    t:is_deeply({result, revision, branch}, {OK, seen + 1, 1}, 'take one revision together')
    t:is_deeply(plain(results), {
        {NOT_FOUND}, {OK, revision, NULL, true}, {OK, {'b', {n = 1}, revision}}, {OK, revision, NULL, false},
        {OK, revision, expires_at, true}, {OK, revision, NULL, false}, {NOT_FOUND},
    }, 'see what was done before them')
    t:is_deeply({value('a'), value('b'), value('c')}, {nil, 2, 1}, 'and are all done')
    t:is_deeply(box.space.kv_expiry:select()[1]:totable(), {expires_at, 'c'}, 'ends as well')
end)

test:test('a touch', function(t)
    t:plan(1)
    local _, _, _, results = run({}, {{'touch', 'c', NULL, 200}, {'get', 'c'}, {'touch', 'c'}})
    local version, expires_at = unpack(results[2][2]:totable(), 3)
    t:is_deeply({results[1], results[3]}, {{OK, version, expires_at, false}, {OK, version, NULL, false}},
        'shows the version that stays, the new end, and that nothing was made')
    entries.touch('c', 100)
end)

-- Holds txn.all-or-none, txn.aborted.
test:test('a refusal', function(t)
    local cases = {
        {'insert', {'insert', 'b', ONE}}, {'update', {'update', 'none', ONE}}, {'delete', {'delete', 'none'}},
        {'if_match', {'update', 'b', ONE, NULL, {1}}}, {'if_match of an upsert', {'upsert', 'none', ONE, NULL, '*'}},
    }
    t:plan(#cases + 3)
    local lsn = box.info.lsn
    for _, case in ipairs(cases) do
        t:is_deeply({run({}, {{'upsert', 'd', ONE}, {'delete', 'c'}, case[2]})}, {ABORTED, {2}, false}, case[1])
    end
    t:is(box.info.lsn, lsn, 'writes nothing')
    t:ok(not pcall(run, {}, {{'upsert', 'd', ONE}, {'upsert', 'e', '\x90'}}), 'bytes that are no map are an error')
    t:is_deeply({value('d'), value('b'), value('c')}, {nil, 2, 1}, 'and nothing is written then')
end)

-- Holds txn.revision-of-reads.
test:test('one that reads only', function(t)
    t:plan(3)
    local lsn = box.info.lsn
    local _, revision, _, results = run({}, {{'get', 'b'}, {'get', 'none'}})
    t:is(box.info.lsn, lsn, 'writes nothing')
    t:ok(revision >= results[1][2].version, 'tells a revision that is not below what it read')
    box.cfg({read_only = true})
    t:is(run({}, {{'get', 'b'}}), OK, 'and goes ahead on a read-only instance')
    box.cfg({read_only = false})
end)

test:test('what is made and removed again', function(t)
    t:plan(2)
    local _, revision, _, results = run({}, {{'insert', 'brief', ONE}, {'delete', 'brief'}})
    t:is_deeply(results, {{OK, revision, NULL, true}, {OK, revision, NULL, false}}, 'has shown a revision')
    t:is(select(2, entries.insert('next', ONE)), revision + 1, 'which no other change takes')
end)

-- Holds txn.all-or-none.
test:test('a disk that fails', function(t)
    t:plan(7)
    disk.fill()
    local write = begin(run, {}, {{'update', 'b', ONE}, {'insert', 'f', ONE, 50}, {'delete', 'c'}})
    t:ok(box.space.kv:get('f') ~= nil and box.space.kv:get('c') == nil, 'the space has it before it is written')
    t:is_deeply({value('b'), value('f'), value('c')}, {2, nil, 1}, 'and nobody sees any of it')
    local reader = plain(select(4, run({}, {{'get', 'b'}, {'get', 'f'}})))
    t:is_deeply({reader[1][2][2], reader[2]}, {{n = 2}, {NOT_FOUND}}, 'neither does a transaction that reads')
    local refused = begin(run, {{'f', 'exists', false}}, {{'insert', 'f', TWO}})
    t:ok(not refused.done, 'one that it refuses waits')
    t:ok(not join(write).ok, 'it fails')
    disk.free()
    t:is(join(refused).result, OK, 'and the one that waited goes ahead')
    t:is_deeply({value('b'), value('f'), value('c'), box.space.kv_expiry:len()}, {2, 2, 1, 1}, 'nothing of it is there')
end)

test:test('a comparison with an entry that is not on disk yet', function(t)
    t:plan(3)
    local write = begin(entries.insert, 'compared', ONE)
    local refused = begin(run, {{'compared', 'exists', false}}, {{'insert', 'never', TWO}})
    t:ok(not refused.done, 'waits')
    t:is(join(write).result, OK, 'for that write')
    t:is_deeply(join(refused).results, {ABORTED, {0}, true}, 'and is about what it left')
    entries.delete('compared')
end)

test:test('an operation on an entry that is not on disk yet', function(t)
    t:plan(4)
    for _, branch in ipairs({'success', 'failure'}) do
        local write = begin(entries.insert, branch, ONE)
        local operations = {{'get', 'b'}, {'insert', branch, TWO}}
        local refused = branch == 'success' and begin(run, {}, operations)
            or begin(run, {{'b', 'exists', false}}, {}, operations)
        t:ok(not refused.done, ('in the branch %s waits for that write'):format(branch))
        join(write)
        t:is_deeply(join(refused).results, {ABORTED, {1}, false}, 'and is refused because of what it left')
        entries.delete(branch)
    end
end)

test:test('one that succeeds', function(t)
    t:plan(3)
    local write = begin(run, {}, {{'update', 'b', ONE}, {'delete', 'f'}})
    t:is_deeply({value('b'), value('f')}, {2, 2}, 'is not seen before it is written')
    t:is(join(write).result, OK, 'answers OK')
    t:is_deeply({value('b'), value('f')}, {1, nil}, 'and is seen from then on')
end)

-- Holds txn.all-or-none.
test:test('accounts', function(t)
    t:plan(3)
    local COUNT, EACH = 10, 100
    for i = 1, COUNT do
        entries.insert('account ' .. i, msgpack.encode({n = EACH}))
    end
    local whole, done, over = true, 0, false
    local function read(i)
        return {'get', 'account ' .. i}
    end
    local all = {}
    for i = 1, COUNT do
        all[i] = read(i)
    end
    local reader = fiber.new(function()
        while not over do
            local sum = 0
            for _, result in ipairs(select(4, run({}, all))) do
                sum = sum + result[2].value.n
            end
            whole = whole and sum == COUNT * EACH
            fiber.sleep(0)
        end
    end)
    reader:set_joinable(true)
    support.all_at_once(50, function(number)
        for i = 1, 10 do
            local from, to = (number + i) % COUNT + 1, (number * 7 + i * 3) % COUNT + 1
            while from ~= to do
                local _, _, _, results = run({}, {read(from), read(to)})
                local a, b = results[1][2], results[2][2]
                if run({{a.key, 'version', a.version}, {b.key, 'version', b.version}}, {
                    {'update', a.key, msgpack.encode({n = a.value.n - 1})}, {'update', b.key, msgpack.encode({n = b.value.n + 1})},
                }) == OK then
                    done = done + 1
                    break
                end
            end
        end
    end)
    over = true
    reader:join()
    local sum = 0
    for i = 1, COUNT do
        sum = sum + value('account ' .. i)
    end
    t:ok(done > 0, 'move between each other')
    t:is(sum, COUNT * EACH, 'and nothing is lost')
    t:ok(whole, 'nor is it ever seen halfway')
end)

test:test('expired entries', function(t)
    t:plan(3)
    entries.insert('short', ONE, 0.001)
    support.eventually(function() return entries.get('short') == NOT_FOUND end)
    t:is_deeply({run({{'short', 'exists', true}}, {})}, {ABORTED, {0}, true}, 'do not exist')
    t:is(run({{'short', 'version', 0}}, {{'insert', 'short', TWO}}), OK, 'and are replaced')
    t:is_deeply({value('short'), box.space.kv_expiry:len()}, {2, 1}, 'with their end')
end)

test:test('nothing stays in flight', function(t)
    t:plan(1)
    local left = 0
    for _, tuple in box.space.kv:pairs() do
        left = left + (require('kv.inflight').of(tuple.key) and 1 or 0)
    end
    t:is(left + #require('kv.inflight').removed(), 0, 'after all of the above')
end)

support.finish(test)
