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
local list = require('kv.listing').list
local outcome = require('kv.outcome')
local begin, join = support.begin, support.join

local ONE = msgpack.encode({n = 1})
local TWO = msgpack.encode({n = 2})

local function keys(options)
    local _, rows, continue = list(options)
    local found = {}
    for i, each in ipairs(rows) do
        found[i] = each[1]
    end
    return found, continue
end

-- Returns the rows of all pages, and the number of pages.
local function walk(options)
    local found, pages = {}, 0
    repeat
        local page
        page, options.after = keys(options)
        for _, key in ipairs(page) do
            table.insert(found, key)
        end
        pages = pages + 1
    until options.after == nil
    return found, pages
end

local function reversed(items)
    local result = {}
    for i = #items, 1, -1 do
        table.insert(result, items[i])
    end
    return result
end

-- The same for pages with common prefixes among them: each row as it is shown.
local function walk_tree(options)
    local found = {}
    repeat
        local _, rows, continue = list(options)
        for _, each in ipairs(rows) do
            table.insert(found, type(each) == 'string' and each or {each[1]})
        end
        options.after = continue
    until options.after == nil
    return found
end

-- How many entries are looked at meanwhile, and what read() returns.
local function count_looks(read)
    local rules = require('kv.rules')
    local live, count = rules.live, 0
    rules.live = function(tuple)
        count = count + 1
        return live(tuple)
    end
    local result = read()
    rules.live = live
    return count, result
end

local test = tap.test('listing')
test:plan(13)

-- The keys in the order of their bytes.
local KEYS = {'', 'A', 'Z', 'a', 'a/1', 'a/10', 'a/2', 'ab', 'b', '\xc3\xa9', '\xf0\x9f\x92\xa9'}
entries.delete('state')
for i = #KEYS, 1, -1 do
    entries.insert(KEYS[i], ONE)
end

-- Holds list.byte-order.
test:test('order', function(t)
    t:plan(4)
    t:is_deeply({keys()}, {KEYS, nil}, 'is that of bytes')
    t:is_deeply(keys({reverse = true}), reversed(KEYS), 'or its reverse')
    t:is_deeply(walk({limit = 2}), KEYS, 'over pages')
    t:is_deeply(walk({limit = 3, reverse = true}), reversed(KEYS), 'in reverse as well')
end)

-- Holds list.bounds-within-prefix.
test:test('bounds', function(t)
    local cases = {
        {{prefix = 'a'}, {'a', 'a/1', 'a/10', 'a/2', 'ab'}}, {{prefix = ''}, KEYS}, {{prefix = 'none'}, {}},
        {{prefix = '\xf0\x9f\x92'}, {KEYS[#KEYS]}}, {{start = 'b'}, {'b', '\xc3\xa9', '\xf0\x9f\x92\xa9'}},
        {{start = 'a/10', end_ = 'ab'}, {'a/10', 'a/2'}}, {{end_ = 'a'}, {'', 'A', 'Z'}}, {{start = 'b', end_ = 'a'}, {}},
        {{prefix = 'a/', start = 'A', end_ = 'z'}, {'a/1', 'a/10', 'a/2'}}, {{prefix = 'a/', start = 'a/10'}, {'a/10', 'a/2'}},
        {{prefix = 'a/', end_ = 'a/2'}, {'a/1', 'a/10'}}, {{prefix = 'a/', start = 'b'}, {}},
        {{prefix = 'a/', end_ = 'a'}, {}},
        {{prefix = 'a', after = 'a/1'}, {'a/10', 'a/2', 'ab'}}, {{prefix = 'a', after = 'A'}, {'a', 'a/1', 'a/10', 'a/2', 'ab'}},
        {{prefix = 'a', after = 'b'}, {}}, {{after = 'a/15'}, {'a/2', 'ab', 'b', '\xc3\xa9', '\xf0\x9f\x92\xa9'}},
        {{prefix = 'a', start = msgpack.NULL, after = msgpack.NULL}, {'a', 'a/1', 'a/10', 'a/2', 'ab'}},
    }
    t:plan(#cases * 2)
    for i, case in ipairs(cases) do
        t:is_deeply({keys(case[1])}, {case[2], nil}, ('case %d'):format(i))
        if case[1].after == nil then
            case[1].reverse = true
            t:is_deeply({keys(case[1])}, {reversed(case[2]), nil}, 'reversed')
        else
            case[1].limit = 1
            t:is_deeply(walk(case[1]), case[2], 'one by one')
        end
    end
end)

test:test('what is shown', function(t)
    t:plan(3)
    local _, tuple = entries.get('A')
    t:is_deeply({list({prefix = 'A'})}, {outcome.OK, {tuple}, nil}, 'are the tuples themselves')
    t:is_deeply({list({prefix = 'A', keys_only = true})}, {outcome.OK, {{'A', tuple.version}}, nil}, 'or keys and versions')
    t:is_deeply({list({prefix = 'none'})}, {outcome.OK, {}, nil}, 'or nothing')
end)

-- Holds list.page-bytes.
test:test('pages', function(t)
    t:plan(6)
    t:is_deeply({keys({limit = 2})}, {{'', 'A'}, 'A'}, 'end with the key behind which to go on')
    t:is_deeply({keys({prefix = 'a', limit = 5})}, {{'a', 'a/1', 'a/10', 'a/2', 'ab'}, nil}, 'and without where nothing follows')
    local bytes = select(2, entries.get('A')):bsize()
    t:is(#keys({start = 'A', max_bytes = 2 * bytes}), 2, 'hold so many bytes')
    t:is(#keys({start = 'A', max_bytes = 2 * bytes - 1}), 1, 'and no more')
    t:is(#keys({max_bytes = 1}), 1, 'but one row at least')
    t:is_deeply(walk({max_bytes = 1}), KEYS, 'and nothing is left out')
end)

-- Holds list.short-pages.
test:test('expired entries', function(t)
    t:plan(4)
    local COUNT = 2000
    box.begin()
    for i = 1, COUNT do
        box.space.kv:insert({('e%05d'):format(i), {n = 1}, 1, 1})
    end
    box.commit()
    entries.insert('e99999', ONE)
    entries.insert('e00000', ONE)
    local page, continue = keys({prefix = 'e'})
    t:is_deeply(page, {'e00000'}, 'are not shown')
    t:ok(continue ~= nil and continue > 'e00000' and continue < 'e99999', 'many make a page short')
    local found, pages = walk({prefix = 'e'})
    t:is_deeply(found, {'e00000', 'e99999'}, 'and those behind them come later')
    t:ok(pages > 1 and pages < 6, 'in few pages')
    for i = 1, COUNT do
        if i % 1000 == 1 then
            box.begin()
        end
        box.space.kv:delete(('e%05d'):format(i))
        if i % 1000 == 0 then
            box.commit()
        end
    end
    entries.delete('e00000')
    entries.delete('e99999')
end)

test:test('writes in flight', function(t)
    t:plan(14)
    local function shown(options)
        local _, rows = list(options)
        local found = {}
        for i, tuple in ipairs(rows) do
            found[i] = tuple.key .. tuple.value.n
        end
        return table.concat(found, ' ')
    end
    for i = 1, 5 do
        entries.insert('w' .. i, ONE)
    end
    for _, fails in ipairs({true, false}) do
        if fails then
            disk.fill()
        end
        local writes = {
            begin(entries.delete, 'w1'), begin(entries.update, 'w2', TWO), begin(entries.insert, 'w25', TWO),
            begin(entries.delete, 'w3'), begin(entries.insert, 'w3', TWO),
            begin(entries.delete, 'w5'), begin(entries.insert, 'w5', TWO), begin(entries.delete, 'w5'),
        }
        t:is(shown({prefix = 'w'}), 'w11 w21 w31 w41 w51', 'are not seen')
        t:is(shown({prefix = 'w', reverse = true, limit = 2}), 'w51 w41', 'in reverse neither')
        t:is(shown({prefix = 'w', after = 'w5'}), '', 'nor again behind their own key')
        t:is(shown({prefix = 'w', after = 'w5', reverse = true, limit = 2}), 'w41 w31', 'in reverse neither')
        t:is(shown({after = 'vzzz', end_ = 'w25'}), 'w11 w21', 'nor below a bound')
        t:is(shown({prefix = 'w', after = 'w1', limit = 4, end_ = 'w5'}), 'w21 w31 w41', 'nor in a part')
        for _, write in ipairs(writes) do
            join(write)
        end
        disk.free()
        t:is(shown({prefix = 'w'}), fails and 'w11 w21 w31 w41 w51' or 'w22 w252 w32 w41', fails and 'failed' or 'written')
    end
end)

-- Holds list.exactly-once.
test:test('a walk while others write', function(t)
    t:plan(2)
    local COUNT = 2000
    support.all_at_once(COUNT, function(i)
        entries.insert(('stays %04d'):format(i), ONE)
    end)
    local over = false
    local writers = {}
    for w = 1, 50 do
        writers[w] = fiber.new(function()
            local turn = 0
            while not over do
                turn = turn + 1
                local passing = ('stays %04d passing'):format((turn * 37 + w) % COUNT)
                entries.upsert(passing, ONE)
                entries.update(('stays %04d'):format((turn * 53 + w * 41) % COUNT + 1), TWO)
                entries.delete(passing)
            end
        end)
        writers[w]:set_joinable(true)
    end
    for _, reverse in ipairs({false, true}) do
        local seen, count, once = {}, 0, true
        local options = {prefix = 'stays', limit = 30, reverse = reverse}
        repeat
            local page
            page, options.after = keys(options)
            for _, key in ipairs(page) do
                if #key == #'stays 0001' then
                    once = once and not seen[key]
                    seen[key] = true
                    count = count + 1
                end
            end
            fiber.sleep(0)
        until options.after == nil
        t:ok(once and count == COUNT, 'shows each key that stays exactly once')
    end
    over = true
    for _, writer in ipairs(writers) do
        writer:join()
    end
end)

test:test('keys that come and go with a failing disk', function(t)
    t:plan(1)
    disk.fill()
    local removal = begin(entries.delete, 'A')
    local again = begin(entries.insert, 'A', TWO)
    local gone = begin(entries.delete, 'A')
    t:is_deeply(keys({prefix = 'A'}), {'A'}, 'are shown as they were')
    join(removal)
    join(again)
    join(gone)
    disk.free()
end)

-- Holds list.limit.
test:test('a limit', function(t)
    t:plan(2)
    t:is(#keys({prefix = 'stays'}), 100, 'is 100 where none is given')
    t:is(#keys({prefix = 'stays', limit = 100000}), 1000, 'and 1000 at most')
end)

-- Holds list.cost-of-page.
test:test('the cost of a page', function(t)
    t:plan(1)
    local looked_at = count_looks(function() return keys({prefix = 'stays', limit = 10, after = 'stays 1900'}) end)
    t:is(looked_at, 11, 'does not grow with what lies before it')
end)

-- Holds tree.prefixes, tree.order, tree.limit.
test:test('a delimiter', function(t)
    local NAMES = {
        'tree', 'tree/', 'tree/1', 'tree/a/', 'tree/a/1', 'tree/a/b/2', 'tree/b', 'tree/b/1', 'tree/b/2', 'tree/ba/1',
        'tree/\xc3\xa9/x',
        'tree::x', 'tree::y::z', 'tref/1',
    }
    for _, name in ipairs(NAMES) do
        entries.insert(name, ONE)
    end
    -- What a listing has to show, made in the simplest way.
    local function expected(prefix, delimiter)
        local found, seen = {}, {}
        for _, name in ipairs(NAMES) do
            if name:sub(1, #prefix) == prefix then
                local _, last = name:find(delimiter, #prefix + 1, true)
                local common = last and name:sub(1, last)
                if common and not seen[common] then
                    table.insert(found, common)
                elseif not common then
                    table.insert(found, {name})
                end
                seen[common or false] = true
            end
        end
        return found
    end
    local cases = {}
    for _, prefix in ipairs({'tree', 'tree/', 'tree/a', 'tree/a/', 'tre', 'tree:', 'none'}) do
        for _, delimiter in ipairs({'/', '::', 'e', '/b/', '\xc3\xa9'}) do
            table.insert(cases, {prefix = prefix, delimiter = delimiter})
        end
    end
    table.sort(NAMES)
    t:plan(#cases * 6)
    for _, case in ipairs(cases) do
        local wanted = expected(case.prefix, case.delimiter)
        for _, limit in ipairs({1, 2, 1000}) do
            for _, reverse in ipairs({false, true}) do
                local options = {
                    prefix = case.prefix, delimiter = case.delimiter, limit = limit, reverse = reverse, keys_only = limit == 2,
                }
                local name = ('"%s" behind "%s", %d at a time, %s'):format(case.delimiter, case.prefix, limit, reverse)
                t:is_deeply(walk_tree(options), reverse and reversed(wanted) or wanted, name)
            end
        end
    end
end)

test:test('a common prefix of keys of which most have expired', function(t)
    t:plan(2)
    local PAST = {1}
    entries.insert('dead/', ONE, PAST)
    for i = 1, 1100 do
        entries.insert(('dead/%04d'):format(i), ONE, PAST)
    end
    entries.insert('dead0', ONE)
    t:is_deeply(walk_tree({prefix = 'dead', delimiter = '/'}), {{'dead0'}}, 'is not shown where all have')
    entries.insert('dead/9999', ONE)
    t:is_deeply(walk_tree({prefix = 'dead', delimiter = '/'}), {'dead/', {'dead0'}}, 'and shown for the last one')
end)

-- Holds tree.cost.
test:test('the cost of a page with common prefixes', function(t)
    t:plan(2)
    local looked_at, found = count_looks(function() return walk_tree({prefix = 'sta', delimiter = ' ', limit = 10}) end)
    t:is_deeply(found, {'stays '}, 'is that of what it shows')
    t:ok(looked_at <= 2, 'and does not grow with what lies below them')
end)

support.finish(test)
