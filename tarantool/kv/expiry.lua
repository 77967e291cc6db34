-- Removes expired entries in the background. No operation waits for this, because every operation treats an expired
-- entry as missing. The removal frees memory, at a pace that leaves enough time for requests.
local background = require('kv.background')
local clock = require('clock')
local fiber = require('fiber')
local inflight = require('kv.inflight')
local revision = require('kv.revision')
local row = require('kv.row')
local store = require('kv.store')
local time = require('kv.time')

-- Positions in kv_expiry.
local EXPIRES_AT, KEY = 1, 2

-- A batch is one transaction and blocks the store while it is made, so its size follows from how long the last batch
-- took. After a batch the fiber rests for a multiple of that time, in which the store serves requests. The longer ago
-- the oldest entry expired, the shorter the rest, so that removal keeps up with any rate of expiry. Several batches
-- may wait for the disk at once; otherwise the disk would set the pace.
local MIN_BATCH_ENTRIES, MAX_BATCH_ENTRIES = 8, 256
local BATCH_SECONDS = 0.0007
local MOST_REST, LEAST_REST = 8, 1
local LATE_SECONDS = 120
local MAX_UNDER_WAY = 8

local expiry = {
    -- An entry lives for at least a second, so a check each second is enough. It also notices within a second when
    -- the clock was changed, or when the instance became writable.
    idle_seconds = 1,
}

local function may_write()
    return not box.info.ro and box.space.kv_expiry ~= nil
end

-- Returns the changes that remove up to `count` expired entries, the oldest first; the rows of kv_expiry without an entry,
-- which only a write that does not come from this code can leave; and for how many seconds the oldest entry has been
-- expired.
local function collect(count)
    local now_ms = time.now_ms()
    local changes, stray, late_ms = {}, {}, 0
    for _, ending in box.space.kv_expiry:pairs() do
        if ending[EXPIRES_AT] > now_ms or #changes + #stray == count then
            break
        end
        late_ms = math.max(late_ms, now_ms - ending[EXPIRES_AT])
        local before = box.space.kv:get(ending[KEY])
        if row.expires_at(before) == ending[EXPIRES_AT] then
            table.insert(changes, {key = ending[KEY], before = before})
        else
            table.insert(stray, ending)
        end
    end
    return changes, stray, late_ms / 1000
end

local function remove(changes, stray)
    if #changes > 0 then
        for _, change in ipairs(changes) do
            change.revision = revision.take()
        end
        store.write_all(changes)
    end
    for _, ending in ipairs(stray) do
        box.space.kv_expiry:delete(ending)
    end
end

-- How many removals are in flight, and the problem of one that failed.
local under_way, problem = 0, nil
local settled = fiber.cond()

local function remove_and_tell(changes, stray)
    under_way = under_way + 1
    local ok, result = pcall(remove, changes, stray)
    under_way = under_way - 1
    problem = not ok and result or problem
    settled:signal()
end

-- Begins to remove a batch of up to `count` entries. Returns the size of the batch, for how many seconds it blocked
-- the store, and for how many seconds the oldest entry had been expired.
local function sweep(count)
    while not revision.is_ready(count) do
        revision.wait(inflight.deadline())
    end
    local started = clock.monotonic()
    local changes, stray, late = collect(count)
    if #changes + #stray > 0 then
        -- The fiber runs until it waits for the disk.
        fiber.create(remove_and_tell, changes, stray)
    end
    return #changes + #stray, clock.monotonic() - started, late
end

-- How many times as long as a batch took the fiber rests afterwards.
function expiry.rest(late)
    return MOST_REST - (MOST_REST - LEAST_REST) * math.min(1, late / LATE_SECONDS)
end

local function sized(count, seconds)
    if seconds > BATCH_SECONDS then
        return math.max(MIN_BATCH_ENTRIES, math.floor(count / 2))
    end
    return math.min(MAX_BATCH_ENTRIES, count + MIN_BATCH_ENTRIES)
end

-- Removes until no expired entry is left, or a removal fails.
local function sweep_all()
    local count = MIN_BATCH_ENTRIES
    while problem == nil and may_write() do
        if under_way == MAX_UNDER_WAY then
            settled:wait()
        else
            local removed, seconds, late = sweep(count)
            if removed == 0 then
                break
            end
            count = sized(count, seconds)
            fiber.sleep(expiry.rest(late) * seconds)
        end
    end
    while under_way > 0 do
        settled:wait()
    end
    if problem ~= nil then
        local failure = problem
        problem = nil
        error(failure, 0)
    end
end

-- Returns the fiber.
function expiry.start()
    local complaint = 'expiry: not all was removed, and will be tried again in %g s: %s'
    return background.start('expiry', sweep_all, function() return expiry.idle_seconds end, complaint)
end

return expiry
