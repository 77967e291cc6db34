local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local clock = require('clock')
local disk = require('disk')
local fiber = require('fiber')
local tap = require('tap')

local now = 1000
-- The age of results follows this clock. Only waits take real time.
clock.monotonic = function()
    return now
end

support.start_here()
require('kv.schema').apply()
local health = require('kv.health')
local outcome = require('kv.outcome')

local probes = 0
box.space.kv_health:on_replace(function()
    probes = probes + 1
end)

local function forget()
    now = now + 1
end

local test = tap.test('health')
test:plan(5)

test:test('a sound instance', function(t)
    t:plan(5)
    t:is(health.check(), outcome.OK, 'is OK')
    t:is(probes, 1, 'by a real write')
    now = now + 0.4
    health.check()
    t:is(probes, 1, 'which serves for half a second')
    now = now + 0.2
    t:is(health.check(), outcome.OK, 'and is then made')
    t:is(probes, 2, 'again')
end)

test:test('many who ask at once', function(t)
    t:plan(2)
    forget()
    local before, ok, fibers = probes, 0, {}
    for i = 1, 50 do
        fibers[i] = fiber.new(function()
            local result = health.check()
            ok = ok + (result == outcome.OK and 1 or 0)
        end)
        fibers[i]:set_joinable(true)
    end
    for i = 1, 50 do
        fibers[i]:join()
    end
    t:is(ok, 50, 'are all answered')
    t:is(probes - before, 1, 'by one write')
end)

test:test('a disk that is full', function(t)
    t:plan(3)
    forget()
    disk.fill()
    local log = require('log')
    local warn, lines = log.warn, {}
    log.warn = function(format, ...) table.insert(lines, format:format(...)) end
    t:is(health.check(), outcome.FAILED, 'is FAILED')
    log.warn = warn
    t:ok(#lines == 1 and lines[1]:match('^health: a write failed: .*disk'), 'and the log says why')
    disk.free()
    forget()
    t:is(health.check(), outcome.OK, 'and OK when there is room again')
end)

test:test('a read-only instance', function(t)
    t:plan(2)
    forget()
    box.cfg({read_only = true})
    t:is(health.check(), outcome.READ_ONLY, 'is READ_ONLY')
    box.cfg({read_only = false})
    forget()
    t:is(health.check(), outcome.OK, 'and OK when it is not')
end)

test:test('a disk that hangs', function(t)
    t:plan(2)
    forget()
    local release = fiber.cond()
    rawset(box.space.kv_health, 'replace', function()
        release:wait()
    end)
    t:is(health.check(), outcome.FAILED, 'is FAILED, and holds nobody up for long')
    rawset(box.space.kv_health, 'replace', nil)
    release:signal()
    t:is(support.eventually(function() forget() return health.check() == outcome.OK end), true, 'and OK when it moves again')
end)

support.finish(test)
