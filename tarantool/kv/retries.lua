-- Lets a client repeat a write safely. The client gives the write a key of its own. The answer is recorded under this
-- key in the transaction of the write, so there is a record exactly where the write was applied, also after a crash.
-- The same request with the same key is then answered from the record, and nothing is written again.
--
-- A record is {client, key, at, fingerprint, answer}. `client` tells the clients apart, '' where they are not known.
-- `at` is in milliseconds since the epoch. `fingerprint` is of the request. `answer` is what the function returned.
--
-- Records are kept for `ttl_s` seconds at least. Where they would need more memory than they may, a write with a key
-- is refused. No record is removed before its time to make room.
local background = require('kv.background')
local fiber = require('fiber')
local inflight = require('kv.inflight')
local outcome = require('kv.outcome')
local reserve = require('kv.reserve')
local time = require('kv.time')

-- Positions in what a caller gives: {client, key, fingerprint}. The same positions are defined for TypeScript in
-- src/store/positions.ts.
local RETRY_CLIENT, RETRY_KEY, RETRY_FINGERPRINT = 1, 2, 3
-- Positions in a record. The fifth is the answer, which nothing here reads.
local CLIENT, KEY, AT, FINGERPRINT = 1, 2, 3, 4

-- What a record needs beside its bytes: its tuple's header, and its places in two indexes.
local RECORD_OVERHEAD_BYTES = 80
local CHANGED_AT_ONCE = 128

local retries = {
    -- Between two searches for records whose time is over.
    idle_seconds = 1,
}

local limit, ttl_ms = 0, 0

-- The writes with a key that have not settled: a cond of each, by client and key.
local under_way = {}
-- What is thrown where no memory is left for a record, from the place where a write would be made.
local FULL = {}

local function id_of(retry)
    local client = retry[RETRY_CLIENT]
    return #client .. ':' .. client .. retry[RETRY_KEY]
end

local function bytes_used()
    local space = box.space.kv_retries
    return tonumber(space:bsize()) + space:len() * RECORD_OVERHEAD_BYTES
end

-- Returns OK where the write may go ahead; REPLAYED and the record where it was carried out before; REUSED where the
-- key belongs to another request; UNSETTLED where a write with this key does not settle in time. The record is the
-- tuple itself, undecoded, so that values keep the order of their members.
local function judge(retry, id)
    local deadline
    while under_way[id] ~= nil do
        deadline = deadline or inflight.deadline()
        local seconds = deadline - fiber.clock()
        if seconds <= 0 or not under_way[id]:wait(seconds) then
            return outcome.UNSETTLED
        end
    end
    local record = box.space.kv_retries:get({retry[RETRY_CLIENT], retry[RETRY_KEY]})
    if record == nil then
        return outcome.OK
    elseif record[FINGERPRINT] ~= retry[RETRY_FINGERPRINT] then
        return outcome.REUSED
    end
    return outcome.REPLAYED, record
end

-- How many records there are, and the bytes that they take and may take.
function retries.stats()
    return {count = box.space.kv_retries:len(), bytes = bytes_used(), limit = limit}
end

-- The record of a write, for the transaction that makes it. Nothing may yield between this call and the write. Where
-- the record does not fit, this throws, and `once` returns FULL.
function retries.record(retry, answer)
    local record = box.tuple.new({
        retry[RETRY_CLIENT], retry[RETRY_KEY], time.now_ms(), retry[RETRY_FINGERPRINT], answer,
    })
    if bytes_used() + record:bsize() + RECORD_OVERHEAD_BYTES > limit then
        error(FULL, 0)
    end
    return record
end

-- Writes a record, in the transaction of its write, or alone where there was nothing else to write.
function retries.insert(record)
    box.space.kv_retries:insert(record)
end

local function settle(id, ok, ...)
    local settled = under_way[id]
    under_way[id] = nil
    settled:broadcast()
    if ok then
        return ...
    elseif (...) == FULL then
        return outcome.FULL
    end
    error((...), 0)
end

-- Returns what carry_out(...) returns, the last argument being `retry`. Where `retry` is nil or null that is all.
-- Otherwise carry_out is called only where no request with this key has been carried out. Of several at the same time
-- one is carried out, and the others wait for it. Returns the outcomes of `judge` and FULL too.
function retries.once(retry, carry_out, ...)
    if retry == nil then
        return carry_out(...)
    end
    local id = id_of(retry)
    local verdict, record = judge(retry, id)
    if verdict == outcome.REPLAYED then
        return verdict, record
    elseif verdict ~= outcome.OK then
        return verdict
    end
    under_way[id] = fiber.cond()
    return settle(id, pcall(carry_out, ...))
end

-- Asks what has become of a write: see `judge`. For a caller that reads before it writes.
function retries.find(retry)
    return judge(retry, id_of(retry))
end

-- Removes up to CHANGED_AT_ONCE of the oldest records, as far as their time is over. Returns how many.
local function remove_some()
    local space = box.space.kv_retries
    local before_ms = time.now_ms() - ttl_ms
    local keys = {}
    for _, record in space.index.age:pairs() do
        if record[AT] >= before_ms or #keys == CHANGED_AT_ONCE then
            break
        end
        table.insert(keys, {record[CLIENT], record[KEY]})
    end
    if #keys > 0 then
        reserve.write(0, box.atomic, function()
            for _, key in ipairs(keys) do
                space:delete(key)
            end
        end)
    end
    return #keys
end

-- A record of a time to come was made while the clock of the machine was wrong. It would stay far too long, so its
-- time begins now. Changes up to CHANGED_AT_ONCE records, and returns how many.
local function correct_some()
    local space, now_ms = box.space.kv_retries, time.now_ms()
    local records = space.index.age:select({now_ms + 1}, {iterator = 'GE', limit = CHANGED_AT_ONCE})
    if #records > 0 then
        reserve.write(0, box.atomic, function()
            for _, record in ipairs(records) do
                space:update({record[CLIENT], record[KEY]}, {{'=', AT, now_ms}})
            end
        end)
    end
    return #records
end

local function keep()
    while not box.info.ro and remove_some() + correct_some() > 0 do
        fiber.sleep(0)
    end
end

-- Begins to keep records, in up to `limit_bytes` and for `ttl_s` seconds. Returns the fiber that removes them.
function retries.start(limit_bytes, ttl_s)
    limit, ttl_ms = limit_bytes, ttl_s * 1000
    local complaint = 'retries: not all was removed, and will be tried again in %g s: %s'
    return background.start('retries', keep, function() return retries.idle_seconds end, complaint)
end

return retries
