-- Whether this instance can take a durable write now, found out by one.
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

-- In a fiber of its own, because a disk that hangs must not hang who asks.
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

-- Returns OK, READ_ONLY or FAILED. At most one write each half second: its result serves all who ask in between, and who asks
-- while it is under way waits for it.
function health.check()
    if clock.monotonic() - last.at < FRESH_SECONDS then
        return last.result
    end
    if probe == nil then
        start()
    end
    -- Without a write (read-only) the probe is over by now.
    if probe ~= nil and not probe.cond:wait(WAIT_SECONDS) then
        return outcome.FAILED
    end
    return last.result
end

return health
