-- The revisions: one counter for the whole store, which every change takes the next number of. A number is never given twice,
-- neither after a crash, nor after a write that failed, nor on the instance that is promoted; some are never given.
--
-- Not a row for each write: numbers are reserved in blocks, and a block is used only once its reservation is on disk. After a
-- start, and where another instance has reserved meanwhile, counting goes on behind all that was ever reserved. Who takes a
-- number and submits the write without a yield between keeps the numbers in the order of the log.
-- Lua numbers hold them exactly up to 2^53: 285 years of a million changes each second.
local fiber = require('fiber')
local memory = require('kv.reserve')

local BLOCK = 100000
-- Far more than the writes that can be under way while the next block is being reserved.
local RESERVE_BELOW = BLOCK / 2

local ROW_ID = 1
-- Positions in kv_revision.
local RESERVED = 2

local revision = {}

-- Numbers up to `last` are given; those up to `limit` may be.
local last, limit = 0, 0
-- {cond, problem} while a block is being reserved; `target` is the value by which our own reservation is known.
local reserving, target
local watched

-- Another instance has reserved, and we replicate it: what is left of our block is behind its numbers.
local function watch(_, new)
    if new == nil or new[RESERVED] ~= target then
        last, limit = 0, 0
    end
end

local function write_block()
    local space = box.space.kv_revision
    if watched ~= space then
        space:on_replace(watch)
        watched = space
    end
    local reserved = space:get(ROW_ID)[RESERVED]
    target = reserved + BLOCK
    memory.write(0, space.replace, space, {ROW_ID, target})
    if limit ~= reserved then
        last = reserved
    end
    limit = target
end

-- What fails in the background is not told: it will be tried again, and in the end somebody waits for it.
local function reserve(job)
    local ok, problem = pcall(write_block)
    reserving = nil
    job.problem = not ok and problem or nil
    job.cond:broadcast()
end

-- Whether the next `count` (1 where it is not given) may be taken at once.
function revision.is_ready(count)
    return last + (count or 1) <= limit
end

-- Waits until some can be; throws where they cannot, and then nothing was written. Takes none.
function revision.wait(deadline)
    local job = reserving
    if job == nil then
        job = {cond = fiber.cond()}
        reserving = job
        reserve(job)
    elseif not job.cond:wait(math.max(0, deadline - fiber.clock())) then
        box.error({code = box.error.WAL_IO, reason = 'Nothing was written: no revision could be reserved in time'})
    end
    if job.problem ~= nil then
        error(job.problem, 0)
    end
end

-- What take would return.
function revision.peek()
    return last + 1
end

-- The newest that was given, here or before: at or above the version of every entry.
function revision.newest()
    if last > 0 then
        return last
    end
    return box.space.kv_revision:get(ROW_ID)[RESERVED]
end

-- The next number. Only where is_ready has said so, with no yield since.
function revision.take()
    if last >= limit then
        error('revision: none is at hand')
    end
    last = last + 1
    if limit - last < RESERVE_BELOW and reserving == nil then
        -- It runs when this fiber yields.
        reserving = {cond = fiber.cond()}
        fiber.new(reserve, reserving)
    end
    return last
end

return revision
