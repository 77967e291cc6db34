local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local fun = require('fun')
local json = require('json')
local msgpack = require('msgpack')
local tap = require('tap')

support.start_here()
require('kv.schema').apply()
local answer = require('kv.answer')
local entries = require('kv.entries')
local outcome = require('kv.outcome')
local row = require('kv.row')
local run = require('kv.txn').run

local MIB = 1024 * 1024
local LONG = ('x'):rep(1000000)

local function row_of(bytes)
    return row.new('k', bytes, 1)
end

local function insert(key, value)
    assert(entries.insert(key, msgpack.encode(value)) == outcome.OK)
end

local function gets(key, count)
    local operations = {}
    for i = 1, count do
        operations[i] = {'get', key}
    end
    return operations
end

local test = tap.test('answer')
test:plan(3)

test:test('the JSON of a value', function(t)
    -- Without the comma behind the whole value. In an array, the comma behind the last item is counted.
    local cases = {
        {'text', msgpack.encode({a = ('x'):rep(77)})},
        {'long text', msgpack.encode({a = ('é'):rep(40000)})},
        {'escapes', msgpack.encode({a = ('x"\\'):rep(100) .. '\n\t\1\31'})},
        {'small numbers', msgpack.encode({a = {0, 9, 10, 99, 100, 127, -1, -9, -10, -32}})},
        {'words', msgpack.encode({a = {true, false, msgpack.NULL}})},
        {'containers', msgpack.encode({a = {{}, {{1}}, {b = {c = 'd'}}}})},
        {'a long array', msgpack.encode({a = fun.range(70000):map(function() return 7 end):totable()})},
    }
    t:plan(#cases + 2)
    for _, case in ipairs(cases) do
        local name, bytes = unpack(case)
        local text = #json.encode((msgpack.decode(bytes)))
        local counted = answer.json_bytes(row_of(bytes), 16 * MIB)
        t:ok(counted >= text and counted <= text + 8, ('of %s is counted: %d of %d'):format(name, counted, text))
    end
    local function counted(bytes)
        return answer.json_bytes(row_of(bytes), MIB)
    end
    t:ok(counted('\129\161a\203\0\0\0\0\0\0\0\1') >= #'{"a":4.9406564584124654e-324}', 'of a double is its longest')
    t:ok(answer.json_bytes(row_of(msgpack.encode({a = ('\1'):rep(MIB)})), 1000) < MIB + 1100, 'is counted no further than asked')
end)

test:test('a large entry', function(t)
    t:plan(4)
    insert('large', {text = ('x'):rep(answer.SMALL_BYTES)})
    insert('small', {text = ('x'):rep(answer.SMALL_BYTES - 100)})
    t:is_deeply({entries.get('large')}, {outcome.LARGE, box.space.kv:get('large'):bsize()}, 'is not read unasked')
    t:is(select(2, entries.get('large', true)).key, 'large', 'and is where it may be')
    t:is(entries.get('small'), outcome.OK, 'and a small one at once')
    t:is_deeply({run({}, {{'insert', 'new', msgpack.encode({})}, {'get', 'large'}}, nil)},
        {outcome.LARGE, box.space.kv:get('large'):bsize()}, 'nor by a transaction')
end)

-- Holds txn.answer-bytes, txn.numbers-at-their-longest.
test:test('the answer of a transaction', function(t)
    t:plan(7)
    insert('text', {text = LONG})
    insert('escapes', {text = ('\1'):rep(170000)})
    insert('numbers', {numbers = fun.range(100000):map(function() return 1e15 + 0.5 end):totable()})
    local function fails(key, count)
        local operations = gets(key, count)
        table.insert(operations, 1, {'insert', 'made', msgpack.encode({})})
        local ok, problem = pcall(run, {}, operations, nil, true)
        return not ok and problem.code == box.error.MEMTX_MAX_TUPLE_SIZE and entries.get('made') == outcome.NOT_FOUND
    end
    t:is(run({}, gets('text', 16), nil, true), outcome.OK, 'may be 16 MiB')
    t:ok(fails('text', 17), 'and is refused beyond, before anything is written')
    t:is(run({}, gets('escapes', 16), nil, true), outcome.OK, 'may be 16 MiB of escapes')
    t:ok(fails('escapes', 17), 'which are counted as they are in JSON')
    t:is(run({}, gets('numbers', 6), nil, true), outcome.OK, 'may be 16 MiB of numbers')
    t:ok(fails('numbers', 7), 'which count with all their digits')
    local added = {{'get', 'text'}, {'update', 'text', msgpack.encode({text = ('\1'):rep(900000)})}}
    for i = 3, 6 do
        added[i] = {'get', 'text'}
    end
    t:ok(not pcall(run, {}, added, nil, true), 'is of what it has written itself')
end)

support.finish(test)
