-- Checks whether this instance can take a durable write now, by making one.
local clock = require('clock')
local fiber = require('fiber')
local log = require('log')
local memory = require('kv.reserve')
local outcome = require('kv.outcome')

local FRESH_SECONDS = 0.5
local WAIT_SECONDS = 1
local ROW_ID = 1

local health = {}

local last = {result = outcome.FAILED, at = -math.huge}
local probe

local function write()
    local space = box.space.kv_health
    memory.write(0, space.replace, space, {ROW_ID, clock.time()})
end

local function try()
    if box.info.ro then
        return outcome.READ_ONLY
    end
    local ok, problem = pcall(write)
    if not ok then
        log.warn('health: a write failed: %s', problem)
        return outcome.FAILED
    end
    return outcome.OK
end

-- The write runs in a fiber of its own, so that a disk that hangs does not block the caller.
local function start()
    local started = {cond = fiber.cond()}
    probe = started
    fiber.create(function()
        local result = try()
        last = {result = result, at = clock.monotonic()}
        probe = nil
        started.cond:broadcast()
    end)
end

-- Returns OK, READ_ONLY or FAILED. It writes at most once each half second. Callers in between get the last result,
-- and callers during the write wait for its result.
function health.check()
    if clock.monotonic() - last.at < FRESH_SECONDS then
        return last.result
    end
    if probe == nil then
        start()
    end
    -- Without a write (on a read-only instance) the probe has ended by now.
    if probe ~= nil and not probe.cond:wait(WAIT_SECONDS) then
        return outcome.FAILED
    end
    return last.result
end

return health
