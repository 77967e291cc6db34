-- Fixed windows: a client's window starts with its first request and has a quota, of which the service's processes take shares.
-- Kept in Lua tables and not in a space, so that it costs no log record, and works read-only and with a full disk. A restart
-- forgets the counts.
local fiber = require('fiber')

local throttle = {
    -- Clients are kept by generations of this many, because a Lua table that doubles stops the whole store meanwhile: a
    -- millisecond or few at this size, and a fifth of a second at a million.
    generation_clients = 65536,
    -- Together a million clients, about 90 MiB. When all are full and live, new clients get nothing until one of them is over:
    -- to forget a client instead would give it a second quota in its window.
    max_generations = 16,
}

-- Two flat tables take less than a table for each client. `last_end`: when the last window in here ends.
local function generation()
    return {ends = {}, used = {}, count = 0, last_end = -math.huge}
end

-- Newest first. In the usual case there is one.
local generations = {generation()}

-- The generation that holds the client's live window, if there is one.
local function live(client, now)
    for i = 1, #generations do
        if (generations[i].ends[client] or now) > now then
            return generations[i]
        end
    end
end

-- Whole generations are dropped, and only where no window is live: clients that stay away cost not even a sweep.
local function drop_ended(now)
    for i = #generations, 1, -1 do
        if generations[i].last_end <= now then
            table.remove(generations, i)
        end
    end
end

-- The generation that takes a new window of the client, or nil and the time when there will be room.
local function room(client, now)
    local newest = generations[1]
    if newest.ends[client] ~= nil or newest.count < throttle.generation_clients then
        return newest
    end
    drop_ended(now)
    if #generations >= throttle.max_generations then
        local first_end = math.huge
        for i = 1, #generations do
            first_end = math.min(first_end, generations[i].last_end)
        end
        return nil, first_end
    end
    table.insert(generations, 1, generation())
    return generations[1]
end

local function milliseconds(seconds)
    return math.max(1, math.ceil(seconds * 1000))
end

local function open(client, limit, window_ms, want, now)
    local target, room_at = room(client, now)
    if target == nil then
        return 0, 0, milliseconds(room_at - now)
    end
    local granted = math.max(0, math.min(want, limit))
    local ends = now + window_ms / 1000
    if target.ends[client] == nil then
        target.count = target.count + 1
    end
    target.ends[client] = ends
    target.used[client] = granted
    target.last_end = math.max(target.last_end, ends)
    return granted, math.max(0, limit - granted), milliseconds(window_ms / 1000)
end

-- Grants up to `want` of the quota `limit` that the client has in its window. Returns granted, what remains after, and the ms
-- until the window ends. Who opens a window sets its length; the limit is that of each caller.
function throttle.take(client, limit, window_ms, want)
    local now = fiber.clock()
    local window = live(client, now)
    if window == nil then
        return open(client, limit, window_ms, want, now)
    end
    local used = window.used[client]
    local remaining = math.max(0, limit - used)
    local granted = math.max(0, math.min(want, remaining))
    window.used[client] = used + granted
    return granted, remaining - granted, milliseconds(window.ends[client] - now)
end

return throttle
