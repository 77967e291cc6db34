-- Counts requests in fixed windows. A client's window starts with its first request and has a quota, of which the
-- service's processes take shares. The counts are kept in Lua tables and not in a space. So they cost no log record,
-- and they work on a read-only instance and with a full disk. A restart forgets them.
local digest = require('digest')
local fiber = require('fiber')

local throttle = {
    -- Clients are kept in generations of this many. A Lua table that doubles its size blocks the whole store
    -- meanwhile: for a few milliseconds at this size, and for a fifth of a second at a million.
    generation_clients = 65536,
    -- Together they hold a million clients, in about 90 MiB. Forgetting a client within its window would give it a
    -- second quota.
    max_generations = 16,
    -- When all generations are full of live windows, new clients are assigned at random to windows that several
    -- clients share. So a new client is not refused because there are others, and still counted.
    shared_windows = 65536,
    -- A client that was refused what fits into a window of its own is granted it when it comes again within this time
    -- after the end of that window. Retry-After names that end in whole seconds.
    booking_seconds = 10,
}

-- Flat tables take less memory than a table for each client. `booked`: the time from which a client may have what it
-- was refused. `last_end`: when the last window in this generation ends.
local function generation()
    return {ends = {}, used = {}, booked = {}, count = 0, last_end = -math.huge}
end

-- The newest comes first. Usually there is only one.
local generations = {generation()}

-- The windows that several clients share, by number.
local shared = generation()
-- The seed is secret, so that no client can choose its neighbours.
local seed = tonumber(digest.urandom(3):hex(), 16)

-- The generation that holds the client's live window, or nil.
local function live(client, now)
    for i = 1, #generations do
        if (generations[i].ends[client] or now) > now then
            return generations[i]
        end
    end
end

-- Whole generations are dropped, and only when none of their windows is live. So clients that stay away do not even
-- cost a sweep.
local function drop_ended(now)
    for i = #generations, 1, -1 do
        if generations[i].last_end <= now then
            table.remove(generations, i)
        end
    end
end

-- The generation that takes a new window of the client, or nil where none has room.
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

-- The time from which this client may have what it was refused, in whichever generation that was noted.
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

-- Returns where the client's live window is kept, and its name there. Opens a window if there is none.
local function find(client, window_ms, now)
    local found = live(client, now)
    if found ~= nil then
        return found, client
    end
    -- A client that shares a window does so until the end of that window. A window of its own would be a second
    -- quota.
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

-- Counts units, also beyond the limit. Units beyond the limit lengthen the window by the time in which they would be
-- granted. So on average never more than the limit is used in the time of one window.
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

-- Grants up to `want` units of the quota `limit` that the client has in its window. Returns the units granted, the
-- units that remain, and the ms until the window ends. The caller that opens a window sets its length, and each
-- caller gives its limit.
-- `owed`: units of work that is already done. They are counted whatever remains.
-- `whole`: units beside `want` that are granted all or none. Where they are refused and are not more than the limit,
-- they are booked: a later window grants them once. What that window has not left is taken from the time after it.
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
