-- Work that a fiber repeats in the background for as long as the instance runs.
local fiber = require('fiber')
local log = require('log')

local MAX_BACKOFF_SECONDS = 10

local background = {}

-- Starts a fiber with this name that calls work() again and again. Between two calls it rests: wait(idle()), by default
-- as long as idle() says, in seconds. Where work() throws, `complaint` is logged, with the pause and the problem put
-- in. The pause begins with idle() and doubles with each failure in a row. Returns the fiber.
function background.start(name, work, idle, complaint, wait)
    return fiber.create(function()
        fiber.name(name)
        local pause
        while true do
            local ok, problem = pcall(work)
            fiber.testcancel()
            if ok then
                pause = nil
                local rest = wait or fiber.sleep
                rest(idle())
            else
                pause = pause and math.min(2 * pause, MAX_BACKOFF_SECONDS) or idle()
                log.warn(complaint, pause, problem)
                fiber.sleep(pause)
            end
        end
    end)
end

return background
