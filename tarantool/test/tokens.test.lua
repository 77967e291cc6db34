-- The tokens.
local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local clock = require('clock')
local disk = require('disk')
local tap = require('tap')

local now_s = 1700000000
clock.time = function() return now_s end

support.start_here({memtx_memory = 64 * 1024 * 1024})
require('kv.schema').apply()
local outcome = require('kv.outcome')
local tokens = require('kv.tokens')
local OK, NOT_FOUND, FULL = outcome.OK, outcome.NOT_FOUND, outcome.FULL
local begin, join = support.begin, support.join

-- The tokens as they are read, and their generation.
local function read()
    local _, generation, all = tokens.read(0, 0)
    local found = {}
    for i, token in ipairs(all) do
        found[i] = token:totable()
    end
    return found, generation
end

local test = tap.test('tokens')
test:plan(5)

test:test('a token', function(t)
    t:plan(5)
    t:is(tokens.create('a', 'hash a', 'definition', nil), OK, 'is kept')
    t:is(tokens.create('b', 'hash b', 'definition', now_s * 1000 + 5000), OK, 'with its end')
    t:is_deeply(read(), {{'a', 'hash a', 'definition'}, {'b', 'hash b', 'definition', now_s * 1000 + 5000}}, 'and read')
    t:is(tokens.delete('b'), OK, 'and removed')
    t:is(tokens.delete('b'), NOT_FOUND, 'once')
end)

-- Holds token.refused-within-a-second.
test:test('a reader', function(t)
    t:plan(8)
    local _, generation = read()
    local began = clock.monotonic()
    t:is_deeply({tokens.read(generation, 0)}, {OK, generation}, 'who knows all is told that nothing has changed')
    t:is_deeply({tokens.read(generation, 20)}, {OK, generation}, 'and waits for a change')
    t:ok(clock.monotonic() - began >= 0.019, 'as long as it wants')
    local waiting = begin(tokens.read, generation, 60000)
    tokens.delete('a')
    join(waiting)
    t:is(waiting.results[1], OK, 'is told of a change at once')
    t:ok(waiting.results[2] > generation, 'by another generation')
    t:is_deeply(waiting.results[3], {}, 'and all tokens')
    local late = begin(tokens.read, waiting.results[2], 60000)
    tokens.create('c', 'hash c', 'definition')
    join(late)
    t:is(#late.results[3], 1, 'also of a new one')
    t:is(tokens.delete('c'), OK)
end)

-- Holds limit.tokens.
test:test('as many tokens as there may be', function(t)
    t:plan(5)
    t:is(tokens.max_tokens, 1000, 'are a thousand')
    tokens.max_tokens = 2
    tokens.create('stays', 'hash', 'definition')
    tokens.create('ends', 'hash', 'definition', now_s * 1000 + 1000)
    t:is(tokens.create('next', 'hash', 'definition'), FULL, 'and no more')
    now_s = now_s + 1
    t:is(tokens.create('next', 'hash', 'definition'), OK, 'but those that have expired make room')
    t:is_deeply(read(), {{'next', 'hash', 'definition'}, {'stays', 'hash', 'definition'}}, 'and no others')
    t:is(tokens.create('more', 'hash', 'definition'), FULL)
    tokens.max_tokens = 1000
end)

test:test('a write that fails', function(t)
    t:plan(3)
    local before, generation = read()
    disk.fill()
    t:ok(not pcall(tokens.create, 'new', 'hash', 'definition'), 'is told')
    disk.free()
    local after, other = read()
    t:is_deeply(after, before, 'and leaves nothing')
    t:ok(other > generation, 'of which who read it meanwhile is told')
end)

test:test('a token with the id of another', function(t)
    t:plan(1)
    t:ok(not pcall(tokens.create, 'stays', 'hash', 'definition'), 'is refused')
end)

support.finish(test)
