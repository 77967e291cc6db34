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
test:plan(5)

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

test:test('each type of MessagePack', function(t)
    -- The value, and the most bytes of JSON that its type takes, with a comma.
    local cases = {
        {'\x00', 2}, {'\x09', 2}, {'\x0a', 3}, {'\x63', 3}, {'\x64', 4}, {'\x7f', 4},
        {'\xff', 3}, {'\xf7', 3}, {'\xf6', 4}, {'\xe0', 4},
        {'\xc0', 5}, {'\xc2', 6}, {'\xc3', 5}, {'\xca\0\0\0\0', 25}, {'\xcb' .. ('\0'):rep(8), 25},
        {'\xcc\0', 4}, {'\xcd\0\0', 6}, {'\xce' .. ('\0'):rep(4), 11}, {'\xcf' .. ('\0'):rep(8), 21},
        {'\xd0\0', 5}, {'\xd1\0\0', 7}, {'\xd2' .. ('\0'):rep(4), 12}, {'\xd3' .. ('\0'):rep(8), 22},
        {'\xa0', 3}, {'\xbf' .. ('x'):rep(31), 34}, {'\xd9\x09' .. ('x'):rep(9), 12}, {'\xda\x01\x01' .. ('x'):rep(257), 260},
        {'\xdb\0\0\x01\x01' .. ('x'):rep(257), 260},
        {'\x90', 3}, {'\x91\0', 5}, {'\x9f' .. ('\0'):rep(15), 33}, {'\xdc\0\x02\0\0', 7}, {'\xdd\0\0\0\x02\0\0', 7},
        {'\x80', 3}, {'\x8f' .. ('\xa0\0'):rep(15), 78}, {'\x81\xa0\0', 8}, {'\xde\0\1\xa0\0', 8}, {'\xdf\0\0\0\1\xa0\0', 8},
        -- Behind each a number, to see that it is found.
        {'\x92\xca' .. ('\0'):rep(4) .. '\x7f', 32},
        {'\x92\xcb' .. ('\0'):rep(8) .. '\x7f', 32}, {'\x92\xda\0\1x\x7f', 11}, {'\x92\xd3' .. ('\0'):rep(8) .. '\x7f', 29},
    }
    t:plan(#cases + 2)
    -- The braces and the name take seven.
    local function counted(bytes)
        return answer.json_bytes(row_of('\x81\xa1a' .. bytes), MIB) - 7
    end
    for _, case in ipairs(cases) do
        t:is(counted(case[1]), case[2], ('%s of %d bytes'):format(case[1]:sub(1, 1):hex(), #case[1]))
    end
    local wrong = {}
    for code = 0, 127 do
        for _, before in ipairs({0, 5, 8}) do
            local text = ('x'):rep(before) .. string.char(code)
            local escaped = code < 32 and 6 or (code == 34 or code == 92) and 2 or 1
            escaped = ('\8\9\10\12\13'):find(string.char(code), 1, true) and 2 or escaped
            if counted(msgpack.encode(text)) ~= 3 + before + escaped then
                table.insert(wrong, code)
            end
        end
    end
    t:is_deeply(wrong, {}, 'each character of a string')
    t:is(answer.json_bytes(row_of('\x81\xa1a\xc4\1x'), MIB), 7, 'what is no JSON ends it')
end)

test:test('a large entry', function(t)
    t:plan(6)
    insert('large', {text = ('x'):rep(answer.SMALL_BYTES)})
    insert('small', {text = ('x'):rep(answer.SMALL_BYTES - 100)})
    local large = box.space.kv:get('large')
    t:is_deeply({entries.get('large')}, {outcome.LARGE, large:bsize(), tonumber(large.version)}, 'is not read unasked')
    t:is(select(2, entries.get('large', true)).key, 'large', 'and is where it may be')
    t:is(entries.get('small'), outcome.OK, 'and a small one at once')
    t:is_deeply({run({}, {{'insert', 'new', msgpack.encode({})}, {'get', 'large'}}, nil)},
        {outcome.LARGE, box.space.kv:get('large'):bsize()}, 'nor by a transaction')
    t:is(entries.get('new'), outcome.NOT_FOUND, 'which writes nothing then')
    t:is_deeply({run({}, {{'get', 'large'}})}, {outcome.LARGE, box.space.kv:get('large'):bsize()}, 'nor by one that reads only')
end)

-- Holds txn.answer-bytes, txn.numbers-at-their-longest.
test:test('the answer of a transaction', function(t)
    t:plan(9)
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
    local tuple = box.space.kv:get('text')
    local bytes = tuple:bsize()
    t:ok(answer.fits({tuple}, bytes, 1), 'a value of a MiB fits')
    t:ok(not answer.fits({tuple}, bytes, 16 * MIB), 'but not beside very many results')
    local added = {{'get', 'text'}, {'update', 'text', msgpack.encode({text = ('\1'):rep(900000)})}}
    for i = 3, 6 do
        added[i] = {'get', 'text'}
    end
    t:ok(not pcall(run, {}, added, nil, true), 'is of what it has written itself')
end)

test:test('a transaction that touches', function(t)
    t:plan(3)
    local touches = {}
    for i = 1, 17 do
        insert('touched ' .. i, {text = LONG})
        touches[i] = {'touch', 'touched ' .. i, msgpack.NULL, 100}
    end
    local ok, problem = pcall(run, {}, touches)
    t:ok(not ok and problem.code == box.error.MEMTX_MAX_TUPLE_SIZE, 'may not touch more than 16 MiB')
    t:is(box.space.kv_expiry:len(), 0, 'and then touches nothing')
    t:is(run({}, {unpack(touches, 1, 16)}), outcome.OK, 'and up to that it may')
end)

support.finish(test)
