local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local fiber = require('fiber')
local tap = require('tap')

local now = 1000
-- The clock is ours: no test waits for a window to end.
fiber.clock = function()
    return now
end
local throttle = require('kv.throttle')
local take = throttle.take

local LIMIT, WINDOW_MS = 10, 1000

local function pass(ms)
    now = now + ms / 1000
end

local test = tap.test('throttle')
test:plan(7)

test:test('a window', function(t)
    t:plan(6)
    t:is_deeply({take('a', LIMIT, WINDOW_MS, 4)}, {4, 6, 1000}, 'begins with the first request')
    pass(250)
    t:is_deeply({take('a', LIMIT, WINDOW_MS, 4)}, {4, 2, 750}, 'goes on')
    t:is_deeply({take('a', LIMIT, WINDOW_MS, 4)}, {2, 0, 750}, 'grants what is left')
    t:is_deeply({take('a', LIMIT, WINDOW_MS, 4)}, {0, 0, 750}, 'and nothing beyond')
    pass(749.5)
    t:is_deeply({take('a', LIMIT, WINDOW_MS, 1)}, {0, 0, 1}, 'rests at least 1 ms while it lasts')
    pass(0.6)
    t:is_deeply({take('a', LIMIT, WINDOW_MS, 1)}, {1, 9, 1000}, 'and then begins anew')
end)

test:test('clients', function(t)
    t:plan(2)
    take('b', LIMIT, WINDOW_MS, LIMIT)
    t:is(take('b', LIMIT, WINDOW_MS, 1), 0, 'one that is out of quota')
    t:is(take('c', LIMIT, WINDOW_MS, 1), 1, 'takes nothing from another')
end)

test:test('bounds', function(t)
    t:plan(3)
    t:is_deeply({take('d', 0, WINDOW_MS, 5)}, {0, 0, 1000}, 'a limit of 0 grants nothing')
    t:is_deeply({take('e', LIMIT, WINDOW_MS, 1000)}, {LIMIT, 0, 1000}, 'nor does any wish grant more than the limit')
    t:is_deeply({take('f', LIMIT, WINDOW_MS, 0)}, {0, LIMIT, 1000}, 'a wish of 0 looks only')
end)

test:test('callers with other limits', function(t)
    t:plan(2)
    take('g', LIMIT, WINDOW_MS, LIMIT)
    pass(100)
    t:is_deeply({take('g', 15, 60000, 20)}, {5, 0, 900}, 'a higher limit counts what was taken, in the window that there is')
    t:is_deeply({take('g', 3, WINDOW_MS, 1)}, {0, 0, 900}, 'a lower one too')
end)

test:test('never more than the limit in a window, whoever comes between', function(t)
    t:plan(2)
    local granted, others, ends = 0, 0, now + WINDOW_MS / 1000
    take('h', LIMIT, WINDOW_MS, 0)
    -- Other clients make the generations turn while the window of this one lasts.
    while now < ends - 0.001 do
        granted = granted + take('h', LIMIT, WINDOW_MS, 1)
        take('other ' .. others, LIMIT, 1 + others % 300, 1)
        others = others + 1
        pass(7)
    end
    t:is(granted, LIMIT, 'the limit is granted')
    pass(7)
    t:is(take('h', LIMIT, WINDOW_MS, 1), 1, 'and again in the next window')
end)

-- From here on the windows of the tests above are over, and generations are small.
pass(100000)
throttle.generation_clients, throttle.max_generations = 2, 3

test:test('more clients than there is room for', function(t)
    t:plan(7)
    -- The generation of the tests above is full by now, over, and dropped.
    for i = 1, 5 do
        take('x' .. i, LIMIT, WINDOW_MS, LIMIT)
        pass(10)
    end
    t:is(take('y', LIMIT, WINDOW_MS, 1), 1, 'the last one that fits is served')
    local granted, remaining, rest_ms = take('one too many', LIMIT, WINDOW_MS, 1)
    t:is_deeply({granted, remaining}, {0, 0}, 'a further one gets nothing')
    -- Up to 1 ms more, by rounding.
    t:ok(rest_ms == WINDOW_MS - 40 or rest_ms == WINDOW_MS - 39, 'until the oldest generation is over')
    local again = 0
    for i = 1, 5 do
        again = again + take('x' .. i, LIMIT, WINDOW_MS, 1)
    end
    t:is(again, 0, 'those that are known are not forgotten')
    t:is_deeply({take('y', LIMIT, WINDOW_MS, 1)}, {1, LIMIT - 2, WINDOW_MS}, 'and go on')
    pass(WINDOW_MS - 41)
    t:is(take('one too many', LIMIT, WINDOW_MS, 1), 0, 'not a moment sooner')
    pass(2)
    t:is(take('one too many', LIMIT, WINDOW_MS, 1), 1, 'and then there is room')
end)

test:test('clients that stay away', function(t)
    t:plan(1)
    local served = 0
    for i = 1, 1000 do
        served = served + take('once ' .. i, LIMIT, WINDOW_MS, 1)
        pass(WINDOW_MS)
    end
    t:is(served, 1000, 'take up no room')
end)

support.finish(test)
