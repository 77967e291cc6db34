-- The log of changes.
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
local PAGE = MIB

support.start_here({memtx_memory = 64 * MIB})
require('kv.schema').apply()
local changes = require('kv.changes')
local entries = require('kv.entries')
local expiry = require('kv.expiry')
local outcome = require('kv.outcome')
local run = require('kv.txn').run
local OK, GONE, OFF = outcome.OK, outcome.GONE, outcome.OFF
local begin, join = support.begin, support.join

local ONE, TWO = msgpack.encode({n = 1}), msgpack.encode({n = 2})
local INSERT, UPDATE, DELETE, EXPIRE = 1, 2, 3, 4

-- What was recorded since: {n, what, key, value, version, expires_at} of each change, and their revisions.
local function since(after)
    local _, last, mark, rows = changes.read(after, PAGE)
    local found, revisions = {}, {}
    for i, row in ipairs(rows) do
        local entry = row.entry
        local value = entry[2] and entry[2].n
        found[i] = {row.n, row.what, entry[1], value, tonumber(entry[3]), tonumber(entry[4])}
        revisions[i] = tonumber(row.revision)
    end
    return found, revisions, last, mark
end

local test = tap.test('changes')
test:plan(13)

test:test('without a log', function(t)
    t:plan(4)
    changes.start(0)
    local _, version = entries.insert('before', ONE)
    t:is(changes.read(version, PAGE), OFF, 'nothing is read')
    t:is(changes.mark(), nil, 'and there is no mark')
    t:is(box.space.kv_changes:len(), 0, 'nothing is recorded')
    local trimmer = changes.start(MIB)
    trimmer:cancel()
    t:is(changes.read(version - 1, PAGE), GONE, 'what was before the log is not held')
end)

test:test('each operation', function(t)
    t:plan(8)
    local start = changes.mark()
    local _, first = entries.insert('a', ONE, 10)
    local _, second = entries.update('a', TWO)
    entries.touch('a', 20)
    local _, created = entries.upsert('b', ONE)
    local _, removed = entries.delete('a')
    local found, revisions, last, mark = since(start)
    t:is_deeply(found, {
        {1, INSERT, 'a', 1, first, (now_s + 10) * 1000},
        {1, UPDATE, 'a', 2, second},
        {1, UPDATE, 'a', 2, second, (now_s + 20) * 1000},
        {1, INSERT, 'b', 1, created},
        {1, DELETE, 'a'},
    }, 'is recorded')
    t:is_deeply({revisions[1], revisions[2], revisions[4], revisions[5]}, {first, second, created, removed}, 'by its revision')
    t:is(revisions[3], second + 1, 'a touch takes one of its own')
    t:is(last, removed, 'the page ends at the newest')
    t:is(mark, removed, 'which is the mark')
    entries.insert('b', ONE)
    entries.update('missing', ONE)
    t:is_deeply(since(removed), {}, 'a refusal is no change')
    entries.insert('c', ONE)
    t:is(#since(removed), 1, 'what comes later is behind it')
    t:is_deeply(since(second), (function()
        local all = since(start)
        return {all[3], all[4], all[5], all[6]}
    end)(), 'a page begins behind the revision')
end)

test:test('a transaction', function(t)
    t:plan(2)
    local start = changes.mark()
    entries.insert('ending', ONE, 1)
    now_s = now_s + 1
    local from = changes.mark()
    local _, version = run(nil, {
        {'insert', 'x', ONE}, {'upsert', 'ending', TWO}, {'touch', 'b', msgpack.NULL, 5}, {'delete', 'c'}, {'update', 'x', TWO},
        {'insert', 'passing', ONE}, {'delete', 'passing'},
    })
    local found, revisions = since(from)
    local _, b = entries.get('b')
    t:is_deeply(found, {
        {1, INSERT, 'x', 2, version},
        {2, EXPIRE, 'ending'},
        {3, INSERT, 'ending', 2, version},
        {4, UPDATE, 'b', 1, tonumber(b.version), (now_s + 5) * 1000},
        {5, DELETE, 'c'},
    }, 'is one revision, each key once, and an expired entry is gone before it is there again')
    t:is_deeply({revisions[1], revisions[5], start < version}, {version, version, true}, 'which all its changes have')
    entries.delete('b')
end)

test:test('expired entries', function(t)
    t:plan(3)
    expiry.idle_seconds = 0.01
    for i = 1, 3 do
        entries.insert('short ' .. i, ONE, 1)
    end
    local start = changes.mark()
    now_s = now_s + 1
    local sweeper = expiry.start()
    support.eventually(function() return changes.mark() == start + 3 end)
    sweeper:cancel()
    local found, revisions, _, mark = since(start)
    t:is_deeply(found, {{1, EXPIRE, 'short 1'}, {1, EXPIRE, 'short 2'}, {1, EXPIRE, 'short 3'}},
        'are recorded when they are removed')
    t:ok(revisions[1] < revisions[2] and revisions[2] < revisions[3], 'each by a revision of its own')
    t:is(mark, revisions[3], 'up to the last one')
end)

test:test('pages', function(t)
    t:plan(6)
    local start = changes.mark()
    local operations = {}
    for i = 1, 10 do
        operations[i] = {'upsert', 'together ' .. i, ONE}
    end
    local _, first = entries.upsert('alone', ONE)
    local _, together = run(nil, operations)
    local _, last = entries.upsert('alone', TWO)
    local _, rest, _, rows = changes.read(start, 1)
    t:is_deeply({rest, #rows}, {first, 1}, 'hold at least one change')
    local _, middle, mark, all = changes.read(first, 1)
    t:is_deeply({middle, #all, mark}, {together, 10, last}, 'and all of one revision, however large')
    local size = rows[1]:bsize()
    t:is_deeply({select(2, changes.read(start, size + 1))}, {first, last, rows}, 'are not larger otherwise')
    t:is(#select(4, changes.read(together, 1)), 1, 'end at the mark')
    t:is_deeply({changes.read(last, PAGE)}, {OK, last, last, {}}, 'and are empty there')
    t:is_deeply({changes.read(start, 0)}, {OK, start, last, {}}, 'or where none is wanted')
end)

test:test('a reader that waits', function(t)
    t:plan(6)
    local start = changes.mark()
    local reader = begin(changes.read, start, PAGE, 60000)
    t:ok(not reader.done, 'waits at the mark')
    local _, version = entries.upsert('awaited', ONE)
    join(reader)
    t:is(reader.results[2], version, 'for the next change')
    t:is(#reader.results[4], 1, 'and gets it')
    t:is_deeply({changes.read(version, PAGE, 10)}, {OK, version, version, {}}, 'or nothing when its time is over')
    local brief = begin(changes.read, version, PAGE, 500)
    t:ok(not brief.done, 'however short that is')
    entries.upsert('awaited', ONE)
    join(brief)
    local behind = begin(changes.read, start, PAGE, 60000)
    t:ok(behind.done, 'does not wait where there is something')
end)

-- Holds changes.durable-only.
test:test('changes that are not on disk', function(t)
    t:plan(6)
    local start = changes.mark()
    disk.fill()
    local write = begin(entries.upsert, 'failed', ONE)
    local later = begin(entries.upsert, 'failed too', ONE)
    t:is(box.space.kv_changes.index.primary:max().entry[1], 'failed too', 'are in the space')
    t:is_deeply({since(start)}, {{}, {}, start, start}, 'and not read')
    join(write)
    join(later)
    disk.free()
    t:ok(not write.ok and not later.ok, 'their writes fail')
    t:is_deeply({since(start)}, {{}, {}, start, start}, 'and nothing is left of them')
    local _, version = entries.upsert('written', ONE)
    t:is_deeply(since(start), {{1, INSERT, 'written', 1, version}}, 'the next change follows')
    t:is(changes.mark(), version, 'with the next mark')
end)

test:test('what was never reached', function(t)
    t:plan(1)
    t:is_deeply({changes.read(changes.mark() + 1, PAGE)}, {GONE, changes.mark()}, 'is refused')
end)

test:test('a log that is too large', function(t)
    t:plan(7)
    local trimmer = changes.start(MIB)
    local start = changes.mark()
    local large = msgpack.encode({text = ('x'):rep(100000)})
    local versions = {}
    for i = 1, 30 do
        local _, version = entries.upsert('large', large)
        versions[i] = version
    end
    local function bytes()
        return tonumber(box.space.kv_changes:bsize())
    end
    t:ok(support.eventually(function() return bytes() <= MIB end), 'is trimmed')
    t:ok(bytes() > MIB / 2, 'by no more than it has to be')
    t:is(changes.read(start, PAGE), GONE, 'what is trimmed is told')
    local boundary = tonumber(box.space.kv_changes.index.primary:min().revision)
    t:is(changes.read(boundary - 1, PAGE), GONE, 'up to the boundary')
    local _, _, _, rows = changes.read(boundary, 2 * PAGE)
    local seen = {}
    for i, row in ipairs(rows) do
        seen[i] = tonumber(row.revision)
    end
    local expected = {}
    for _, version in ipairs(versions) do
        if version > boundary then
            table.insert(expected, version)
        end
    end
    t:is_deeply(seen, expected, 'and behind it nothing is missing')
    entries.upsert('huge', msgpack.encode({text = ('x'):rep(MIB - 10000)}))
    local mark = changes.mark()
    support.eventually(function() return box.space.kv_changes:len() == 1 end)
    entries.upsert('small', ONE)
    t:is(#since(mark), 1, 'the newest is kept, so that whoever has seen it goes on')
    t:ok(support.eventually(function() return bytes() < MIB end), 'until there is another')
    trimmer:cancel()
end)

test:test('a log that cannot be trimmed', function(t)
    t:plan(2)
    local trimmer = changes.start(MIB)
    for _ = 1, 9 do
        entries.upsert('large', msgpack.encode({text = ('x'):rep(100000)}))
    end
    local atomic, failures = box.atomic, 0
    rawset(box, 'atomic', function(...)
        if fiber.self():name() == 'changes' then
            failures = failures + 1
            error('not now')
        end
        return atomic(...)
    end)
    for _ = 1, 3 do
        entries.upsert('large', msgpack.encode({text = ('x'):rep(100000)}))
    end
    t:ok(support.eventually(function() return failures > 0 end), 'waits')
    rawset(box, 'atomic', atomic)
    t:ok(support.eventually(function() return tonumber(box.space.kv_changes:bsize()) <= MIB end), 'and is trimmed later')
    trimmer:cancel()
end)

test:test('a log that is smaller than a change', function(t)
    t:plan(3)
    local trimmer = changes.start(1000)
    for _ = 1, 3 do
        entries.upsert('large', msgpack.encode({text = ('x'):rep(2000)}))
    end
    local mark = changes.mark()
    t:ok(support.eventually(function() return box.space.kv_changes:len() == 1 end), 'keeps the last one')
    t:is(tonumber(box.space.kv_changes.index.primary:max().revision), mark, 'which tells the mark')
    trimmer:cancel()
    changes.start(0)
    t:is(box.space.kv_changes:len(), 0, 'until it is switched off')
end)

test:test('a store that is full', function(t)
    t:plan(2)
    local reserve = require('kv.reserve')
    local trimmer = changes.start(31 * MIB)
    local keeper = reserve.start()
    support.eventually(function() return box.space.kv_reserve:len() > 0 end)
    local value, count = msgpack.encode({text = ('x'):rep(20000)}), 0
    while not reserve.is_lent() and pcall(entries.insert, 'filling ' .. count, value) do
        count = count + 1
    end
    pcall(entries.touch, 'filling 1', 100)
    local before = box.space.kv_changes:bsize()
    t:ok(support.eventually(function()
        pcall(entries.touch, 'filling 2', 100)
        return box.space.kv_changes:bsize() < before / 2
    end), 'takes memory back from its log')
    t:is(entries.delete('filling 3'), OK, 'and can be emptied')
    for i = 0, count do
        pcall(entries.delete, 'filling ' .. i)
    end
    keeper:cancel()
    trimmer:cancel()
end)

test:test('after a start', function(t)
    t:plan(6)
    local SOCKET = fio.pathjoin(support.folder, 'kv.sock')
    local function start(env)
        local child = support.spawn_instance(env)
        support.is_ready(child)
        return child, client.connect('unix/', SOCKET, 'api_user', support.password)
    end
    local function stop(child)
        child.handle:shutdown({stdin = true})
        child.wait()
    end
    local child, user = start()
    local version = user:call('kv.upsert', 'a', ONE).data[2]
    local later = user:call('kv.upsert', 'b', ONE).data[2]
    stop(child)
    child, user = start()
    local answer = user:call('kv.changes', version, PAGE).data
    t:is_deeply({answer[1], answer[2], answer[3], #answer[4]}, {OK, later, later, 1}, 'all is there, and the mark')
    local newest = user:call('kv.upsert', 'c', ONE).data[2]
    t:is_deeply({#user:call('kv.changes', version, PAGE).data[4], newest > later}, {2, true}, 'and it goes on')
    stop(child)
    child, user = start({CHANGES_MEMORY = '0'})
    t:is_deeply(user:call('kv.changes', newest, PAGE).data, {OFF}, 'a log that is switched off')
    user:call('kv.upsert', 'd', ONE)
    stop(child)
    child, user = start()
    t:is(user:call('kv.changes', newest, PAGE).data[1], GONE, 'begins anew when it is switched on')
    local mark = user:call('kv.changes', newest, PAGE).data[2]
    t:is_deeply(user:call('kv.changes', mark, PAGE).data, {OK, mark, mark, {}}, 'with a mark')
    user:call('kv.upsert', 'e', ONE)
    t:is(#user:call('kv.changes', mark, PAGE).data[4], 1, 'and then holds all changes')
    stop(child)
end)

support.finish(test)
