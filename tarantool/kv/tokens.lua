-- The tokens that clients show instead of a password. A token itself is never kept, only its hash. What a token may do
-- is a text that the service writes and reads. It means nothing here.
local fiber = require('fiber')
local clock = require('clock')
local outcome = require('kv.outcome')
local reserve = require('kv.reserve')
local time = require('kv.time')

-- Positions of the fields that are read here. src/store/positions.ts has all of them.
local ID, EXPIRES_AT = 1, 4

local tokens = {
    -- Each process of the service keeps all of them in memory.
    max_tokens = 1000,
}

-- A number that is another one after each change, and after each start.
local generation = tonumber(clock.realtime64() / 1000)
local changed = fiber.cond()

local function tell()
    generation = generation + 1
    changed:broadcast()
end

-- Runs a write and tells those who wait, also where it failed: they may have read what was then taken back.
local function write(growth, change, ...)
    local ok, problem = pcall(reserve.write, growth, change, ...)
    tell()
    if not ok then
        error(problem, 0)
    end
end

local function remove_expired()
    local now_ms = time.now_ms()
    local expired = {}
    for _, token in box.space.kv_tokens:pairs() do
        if token[EXPIRES_AT] ~= nil and token[EXPIRES_AT] <= now_ms then
            table.insert(expired, token[ID])
        end
    end
    for _, id in ipairs(expired) do
        box.space.kv_tokens:delete(id)
    end
end

-- Returns OK and the generation. Where that is not the `known` one, also all tokens: {id, hash, definition,
-- expires_at}. Where it is, it waits for a change for up to `timeout_ms`.
function tokens.read(known, timeout_ms)
    if known == generation and timeout_ms > 0 then
        changed:wait(timeout_ms / 1000)
    end
    if known == generation then
        return outcome.OK, generation
    end
    return outcome.OK, generation, box.space.kv_tokens:select()
end

-- Keeps a token. `expires_at` is in milliseconds since the epoch, and nil for a token that does not expire. Returns
-- OK, or FULL where there are as many as there may be. Tokens that have expired make room.
function tokens.create(id, hash, definition, expires_at)
    local space = box.space.kv_tokens
    if space:len() >= tokens.max_tokens then
        write(0, box.atomic, remove_expired)
        if space:len() >= tokens.max_tokens then
            return outcome.FULL
        end
    end
    local token = box.tuple.new({id, hash, definition, expires_at})
    write(token:bsize(), space.insert, space, token)
    return outcome.OK
end

-- Returns OK, or NOT_FOUND.
function tokens.delete(id)
    local space = box.space.kv_tokens
    if space:get(id) == nil then
        return outcome.NOT_FOUND
    end
    write(0, space.delete, space, id)
    return outcome.OK
end

return tokens
