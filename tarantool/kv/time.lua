-- The store's clock. Entries expire by this clock, never by a client's.
--
-- It follows real time, because it has to go on over restarts, but hosts change their clocks. A step forwards is
-- followed, because it looks the same as a machine that slept. A step backwards is not followed, or expired entries
-- would be there again. Until the host has caught up, this clock runs at half the pace. Where that would take too
-- long, the host's time was wrong before and is right now, so it is followed.
local clock = require('clock')

local HELD_MS = 10 * 60 * 1000
local PACE = 0.5

local time = {}

local shown_ms, shown_at_ms = -math.huge, 0

-- Returns whole milliseconds since the epoch.
function time.now_ms()
    local real_ms = clock.time() * 1000
    if real_ms < shown_ms and shown_ms - real_ms <= HELD_MS then
        local now_ms = clock.monotonic() * 1000
        real_ms = math.max(real_ms, shown_ms + (now_ms - shown_at_ms) * PACE)
        shown_at_ms = now_ms
    else
        shown_at_ms = clock.monotonic() * 1000
    end
    shown_ms = real_ms
    return math.floor(real_ms)
end

return time
