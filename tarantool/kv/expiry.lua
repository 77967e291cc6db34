-- Removes expired entries, in the background. Nobody waits for it, since an expired entry is no entry to any operation; it gives
-- their memory back, at a pace that leaves the others theirs.
local clock = require('clock')
local fiber = require('fiber')
local inflight = require('kv.inflight')
local log = require('log')
local revision = require('kv.revision')
local row = require('kv.row')
local store = require('kv.store')
local time = require('kv.time')

-- Positions in kv_expiry.
local EXPIRES_AT, KEY = 1, 2

-- A batch is one transaction, and holds the store up while it is made: for so many entries, or about so long. The rest after it is
-- for the others. A million entries are gone within two minutes or so.
local BATCH_ENTRIES = 64
local BATCH_SECONDS = 0.001
local REST_SECONDS = 0.001
-- An entry lives for a second at least, so looking each second suffices; whatever happens to the clock, or to who may write, is
-- seen by then.
local IDLE_SECONDS = 1
local MAX_BACKOFF_SECONDS = 10

local expiry = {}

-- Returns the changes that remove expired entries, the oldest first, and the endings that no entry has, which only a write by
-- other ways than ours can leave.
local function collect()
    local now_ms, started = time.now_ms(), clock.monotonic()
    local changes, stray = {}, {}
    for _, ending in box.space.kv_expiry:pairs() do
        -- To look takes less than half as long as to remove.
        if ending[EXPIRES_AT] > now_ms or #changes + #stray == BATCH_ENTRIES or clock.monotonic() - started > BATCH_SECONDS / 3 then
            break
        end
        local before = box.space.kv:get(ending[KEY])
        if row.expires_at(before) == ending[EXPIRES_AT] then
            table.insert(changes, {key = ending[KEY], before = before})
        else
            table.insert(stray, ending)
        end
    end
    return changes, stray
end

-- Removes a batch, and returns how many it were.
local function sweep()
    if box.info.ro or box.space.kv_expiry == nil then
        return 0
    end
    if not revision.is_ready(BATCH_ENTRIES) then
        revision.wait(inflight.deadline())
    end
    local changes, stray = collect()
    if #changes > 0 then
        for _ = 1, #changes do
            revision.take()
        end
        store.write_all(changes)
    end
    for _, ending in ipairs(stray) do
        box.space.kv_expiry:delete(ending)
    end
    return #changes + #stray
end

local function run()
    fiber.name('expiry')
    local backoff = IDLE_SECONDS
    while true do
        local ok, result = pcall(sweep)
        if ok then
            backoff = IDLE_SECONDS
            fiber.sleep(result == 0 and IDLE_SECONDS or REST_SECONDS)
        else
            log.warn('expiry: nothing was removed, and will be tried again in %d s: %s', backoff, result)
            fiber.sleep(backoff)
            backoff = math.min(2 * backoff, MAX_BACKOFF_SECONDS)
        end
    end
end

-- Returns the fiber.
function expiry.start()
    return fiber.create(run)
end

return expiry
