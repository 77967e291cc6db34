-- The store's clock: what expires does so by this one, never by a client's.
--
-- Real time, because it has to go on over restarts; but hosts step theirs. Forwards it is followed: a step cannot be told from a
-- machine that slept. Backwards it is not, or what was gone would be there again: until the host has caught up, this one goes on
-- at half the pace. Where that would take too long, the host was wrong before and not now, and is followed.
local clock = require('clock')

local HELD_MS = 10 * 60 * 1000
local PACE = 0.5

local time = {}

local shown_ms, shown_at_ms = -math.huge, 0

-- Whole milliseconds since the epoch.
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
