local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local fiber = require('fiber')
local tap = require('tap')

local now = 1000
-- The test sets the clock, so it never waits for a window to end.
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
test:plan(12)

-- Holds rate.window.
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

test:test('units that are granted whole', function(t)
    t:plan(8)
    t:is_deeply({take('w', LIMIT, WINDOW_MS, 0, 0, LIMIT)}, {LIMIT, 0, 1000}, 'may be all that there are')
    t:is_deeply({take('x', LIMIT, WINDOW_MS, 0, 0, LIMIT + 1)}, {0, LIMIT, 1000}, 'and no more')
    pass(1001)
    t:is(take('x', LIMIT, WINDOW_MS, LIMIT), LIMIT, 'which costs nothing')
    t:is(take('x', LIMIT, WINDOW_MS, 0, 0, 5), 0, 'and is not booked')
    take('z', LIMIT, WINDOW_MS, 1)
    t:is(take('z', LIMIT, WINDOW_MS, 0, 0, LIMIT), 0, 'all that there are may be too many')
    pass(1001)
    take('z', LIMIT, WINDOW_MS, 1)
    t:is(take('z', LIMIT, WINDOW_MS, 0, 0, LIMIT), LIMIT, 'and are booked then')
    t:is_deeply({take('one', 1, WINDOW_MS, 0, 3)}, {0, 0, 3000}, 'work beyond a limit of one lengthens the window')
    t:is_deeply({take('y', 0, WINDOW_MS, 0, 5)}, {0, 0, 1000}, 'work without a limit does not lengthen the window')
end)

test:test('callers with other limits', function(t)
    t:plan(2)
    take('g', LIMIT, WINDOW_MS, LIMIT)
    pass(100)
    t:is_deeply({take('g', 15, 60000, 20)}, {5, 0, 900}, 'a higher limit counts what was taken, in the window that there is')
    t:is_deeply({take('g', 3, WINDOW_MS, 1)}, {0, 0, 900}, 'a lower one too')
end)

-- Holds rate.never-more-than-limit.
test:test('never more than the limit in a window, whoever comes between', function(t)
    t:plan(2)
    local granted, others, ends = 0, 0, now + WINDOW_MS / 1000
    take('h', LIMIT, WINDOW_MS, 0)
    -- Other clients fill further generations while this client's window lasts.
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

-- Holds rate.longer-window.
test:test('work that is done already', function(t)
    t:plan(5)
    t:is_deeply({take('i', LIMIT, WINDOW_MS, 1, 4)}, {1, 5, 1000}, 'is counted')
    t:is_deeply({take('i', LIMIT, WINDOW_MS, 0, 20)}, {0, 0, 2500}, 'also beyond the limit, and then the window is longer')
    pass(2499)
    t:is(take('i', LIMIT, WINDOW_MS, 1), 0, 'until all is made up for')
    pass(2)
    t:is_deeply({take('i', LIMIT, WINDOW_MS, 1)}, {1, 9, 1000}, 'and then all is as before')
    local _, _, rest_ms = take('one over', LIMIT, WINDOW_MS, 0, LIMIT + 1)
    -- Rounding may add up to 1 ms.
    t:ok(rest_ms == 1100 or rest_ms == 1101, 'one unit beyond is made up for as well')
end)

-- Holds rate.all-or-nothing, rate.booked, rate.too-many-operations.
test:test('all or none', function(t)
    t:plan(10)
    t:is_deeply({take('j', LIMIT, WINDOW_MS, 0, 0, 6)}, {6, 4, 1000}, 'is granted where there is as much')
    t:is_deeply({take('j', LIMIT, WINDOW_MS, 0, 0, 6)}, {0, 4, 1000}, 'refused where there is not, and takes nothing')
    t:is_deeply({take('j', LIMIT, WINDOW_MS, 0, 0, 6)}, {0, 4, 1000}, 'however often')
    pass(1001)
    take('j', LIMIT, WINDOW_MS, LIMIT)
    local granted, _, rest_ms = take('j', LIMIT, WINDOW_MS, 0, 0, 6)
    t:is(granted, 6, 'is granted in the next window')
    -- Rounding may add up to 1 ms.
    t:ok(rest_ms == 1600 or rest_ms == 1601, 'which is longer for it')
    t:is(take('j', LIMIT, WINDOW_MS, 0, 0, 6), 0, 'once')
    pass(1601 + 1000 * throttle.booking_seconds)
    take('j', LIMIT, WINDOW_MS, LIMIT)
    t:is(take('j', LIMIT, WINDOW_MS, 0, 0, 6), 0, 'and not to one who stays away for long')
    t:is(take('k', LIMIT, WINDOW_MS, 0, 0, LIMIT + 1), 0, 'what is more than the limit is refused')
    pass(1001)
    take('k', LIMIT, WINDOW_MS, 1)
    t:is(take('k', LIMIT, WINDOW_MS, 0, 0, LIMIT + 1), 0, 'for ever')
    take('on time', LIMIT, WINDOW_MS, LIMIT)
    take('on time', LIMIT, WINDOW_MS, 0, 0, 6)
    pass(WINDOW_MS)
    take('on time', LIMIT, WINDOW_MS, LIMIT)
    t:is(take('on time', LIMIT, WINDOW_MS, 0, 0, 6), 6, 'what is booked is granted from the very end of the window on')
end)

-- Holds rate.longer-window.
test:test('never more than the limit on the average, whatever is asked for', function(t)
    t:plan(1)
    local seed = os.time()
    math.randomseed(seed)
    local too_much = 0
    for client = 1, 300 do
        local begin, used, ends = now, 0, now
        for _ = 1, 60 do
            local owed = math.random() < 0.2 and math.random(30) or 0
            local whole = math.random() < 0.3 and math.random(LIMIT + 3) or 0
            local granted, _, rest_ms = take('random ' .. client, LIMIT, WINDOW_MS, math.random(0, 3), owed, whole)
            if now >= ends then
                begin, used = now, 0
            end
            ends = now + rest_ms / 1000
            used = used + granted + owed
            -- Rounding may add up to 1 ms.
            if used > LIMIT * (ends - begin) * 1000 / WINDOW_MS + 0.001 then
                too_much = too_much + 1
            end
            pass(math.random(0, 400) + 0.5)
        end
    end
    t:is(too_much, 0, 'with the seed ' .. seed)
end)

-- From here on the windows of the tests above have ended, and generations are small.
pass(100000)
throttle.generation_clients, throttle.max_generations = 2, 3

-- Holds limit.rate-clients.
test:test('more clients than there is room for', function(t)
    t:plan(6)
    throttle.shared_windows = 1
    -- The generation of the tests above is full, has ended, and is dropped.
    for i = 1, 6 do
        take('x' .. i, LIMIT, WINDOW_MS, LIMIT)
        pass(10)
    end
    t:is_deeply({take('one too many', LIMIT, WINDOW_MS, LIMIT - 1)}, {LIMIT - 1, 1, WINDOW_MS}, 'a further one is served')
    t:is_deeply({take('another', LIMIT, WINDOW_MS, 5)}, {1, 0, WINDOW_MS}, 'and shares the quota with others like it')
    local again = 0
    for i = 1, 6 do
        again = again + take('x' .. i, LIMIT, WINDOW_MS, 1)
    end
    t:is(again, 0, 'those that are known are not forgotten')
    pass(WINDOW_MS - 20)
    t:is(take('one too many', LIMIT, WINDOW_MS, 1), 0, 'when there is room again, nobody gets a second quota in the same window')
    t:is(take('yet another', LIMIT, WINDOW_MS, 1), 0, 'for whoever shares it')
    pass(21)
    t:is(take('one too many', LIMIT, WINDOW_MS, 1), 1, 'which ends like any other')
    pass(WINDOW_MS)
end)

-- Holds rate.longer-window.
test:test('a window that was lengthened', function(t)
    t:plan(1)
    take('lengthened', LIMIT, WINDOW_MS, LIMIT, 3 * LIMIT)
    pass(WINDOW_MS + 1)
    -- All other windows have ended, and each new client of these needs a generation.
    for i = 1, 4 do
        take('newer ' .. i, LIMIT, WINDOW_MS, 1)
    end
    t:is(take('lengthened', LIMIT, WINDOW_MS, 1), 0, 'is kept for as long as it lasts')
    pass(4 * WINDOW_MS)
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
