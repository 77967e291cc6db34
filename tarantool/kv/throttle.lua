-- Fixed windows: a client's window starts with its first request and has a quota, of which the service's processes take shares.
-- Kept in Lua tables and not in a space, so that it costs no log record, and works read-only and with a full disk. A restart
-- forgets the counts.
local digest = require('digest')
local fiber = require('fiber')

local throttle = {
    -- Clients are kept by generations of this many, because a Lua table that doubles stops the whole store meanwhile: a
    -- millisecond or few at this size, and a fifth of a second at a million.
    generation_clients = 65536,
    -- Together a million clients, about 90 MiB. To forget one of them in its window would give it a second quota.
    max_generations = 16,
    -- When all are full and live, a new client shares a window with those that chance puts beside it: it is neither refused
    -- because there are others, nor counted by nobody.
    shared_windows = 65536,
    -- Whoever was refused what it can have in a window of its own gets it when it comes again, within this time of the end of
    -- that window, which Retry-After names in whole seconds.
    booking_seconds = 10,
}

-- Flat tables take less than a table for each client. `booked`: from when a client may have what it was refused.
-- `last_end`: when the last window in here ends.
local function generation()
    return {ends = {}, used = {}, booked = {}, count = 0, last_end = -math.huge}
end

-- Newest first. In the usual case there is one.
local generations = {generation()}

-- Windows that several clients share, by number.
local shared = generation()
-- Nobody can choose its neighbours.
local seed = tonumber(digest.urandom(3):hex(), 16)

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

-- The generation that takes a new window of the client, if there is room.
local function room(client, now)
    local newest = generations[1]
    if newest ~= nil and (newest.ends[client] ~= nil or newest.count < throttle.generation_clients) then
        return newest
    end
    drop_ended(now)
    if #generations >= throttle.max_generations then
        return nil
    end
    table.insert(generations, 1, generation())
    return generations[1]
end

local function shared_number(client)
    local hash = digest.murmur.new({seed = seed})
    hash:update(client)
    return hash:result() % throttle.shared_windows
end

-- The time from which this client may have what it was refused, in whatever generation that was noted.
local function take_booking(client, now)
    for i = 1, #generations do
        local booked = generations[i].booked
        local from = booked[client]
        if from ~= nil and from <= now then
            booked[client] = nil
            if now < from + throttle.booking_seconds then
                return true
            end
        end
    end
    return false
end

local function open(target, client, window_ms, now)
    local ends = now + window_ms / 1000
    if target.ends[client] == nil then
        target.count = target.count + 1
    end
    target.ends[client] = ends
    target.used[client] = 0
    target.last_end = math.max(target.last_end, ends)
end

-- Where the client's live window is kept, and under which name. It is opened if there is none.
local function find(client, window_ms, now)
    local found = live(client, now)
    if found ~= nil then
        return found, client
    end
    -- Who has shared a window goes on sharing it until its end: another one would be a second quota.
    local number
    if shared.last_end > now then
        number = shared_number(client)
        if (shared.ends[number] or now) > now then
            return shared, number
        end
    elseif shared.count > 0 then
        shared = generation()
    end
    local target = room(client, now)
    if target == nil then
        target, client = shared, number or shared_number(client)
    end
    open(target, client, window_ms, now)
    return target, client
end

-- Counts units, also beyond the limit. What is beyond makes the window as much longer as it takes to get that back, so that never
-- more than the limit is used in a window's time on the average.
local function use(window, name, units, limit, window_ms)
    local before = window.used[name]
    local after = before + units
    window.used[name] = after
    local excess = after - math.max(limit, before)
    if excess > 0 and limit > 0 then
        local ends = window.ends[name] + excess / limit * window_ms / 1000
        window.ends[name] = ends
        window.last_end = math.max(window.last_end, ends)
    end
end

-- Grants up to `want` of the quota `limit` that the client has in its window. Returns granted, what remains after, and the ms
-- until the window ends. Who opens a window sets its length; the limit is that of each caller.
-- `owed`: units of work that is done already, which are counted whatever remains.
-- `whole`: units that are granted all or none, beside `want`. Where they are refused and not more than the limit, they are booked:
-- in a later window they are granted once, and what that has not left is taken from the time after it.
function throttle.take(client, limit, window_ms, want, owed, whole)
    owed, whole = owed or 0, whole or 0
    local now = fiber.clock()
    local window, name = find(client, window_ms, now)
    if owed > 0 then
        use(window, name, owed, limit, window_ms)
    end
    local granted = 0
    if whole > 0 then
        if whole <= limit - window.used[name] or whole <= limit and take_booking(name, now) then
            granted = whole
            use(window, name, whole, limit, window_ms)
        elseif whole <= limit and window ~= shared then
            window.booked[name] = window.ends[name]
        end
    end
    local remaining = math.max(0, limit - window.used[name])
    local more = math.max(0, math.min(want, remaining))
    window.used[name] = window.used[name] + more
    return granted + more, remaining - more, math.max(1, math.ceil((window.ends[name] - now) * 1000))
end

return throttle
