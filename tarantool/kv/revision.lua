-- Revisions come from one counter for the whole store. Each change takes the next number. A number is never given
-- twice, neither after a crash, nor after a write that failed, nor by a replica that was promoted. Some numbers are
-- never given.
--
-- Reserving each number with a row of its own would cost a write, so numbers are reserved in blocks. A block is used
-- only when its reservation is on disk. After a start, and where another instance has reserved meanwhile, counting
-- continues behind all numbers that were ever reserved. A caller that takes a number and submits its write without a
-- yield between keeps the numbers in the order of the log.
-- Lua numbers are exact up to 2^53, which is enough for 285 years of a million changes each second.
local fiber = require('fiber')
local memory = require('kv.reserve')

local BLOCK = 100000
-- Far more than the writes that can be in flight while the next block is being reserved.
local RESERVE_BELOW = BLOCK / 2

local ROW_ID = 1
-- Positions in kv_revision.
local RESERVED = 2

local revision = {}

-- Numbers up to `last` have been given. Numbers up to `limit` may be given.
local last, limit = 0, 0
-- {cond, problem} while a block is being reserved. `target` is the value that identifies our own reservation.
local reserving, target
local watched

-- Another instance, which we replicate, has reserved a block. The rest of our block lies before its numbers and is no
-- longer used.
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
    local reserved = tonumber(space:get(ROW_ID)[RESERVED])
    assert(reserved >= last, 'no revision is given twice')
    target = reserved + BLOCK
    memory.write(0, space.replace, space, {ROW_ID, target})
    if limit ~= reserved then
        last = reserved
    end
    limit = target
end

-- A failure in the background is not reported. The reservation is tried again, and in the end a caller waits for it.
local function reserve(job)
    local ok, problem = pcall(write_block)
    reserving = nil
    job.problem = not ok and problem or nil
    job.cond:broadcast()
end

-- Whether the next `count` numbers (1 by default) may be taken at once.
function revision.is_ready(count)
    return last + (count or 1) <= limit
end

-- Waits until numbers may be taken, and takes none. Throws where that fails, and then nothing was written.
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

-- The number that take would return.
function revision.peek()
    return last + 1
end

-- The newest number that was given, before the last start too. No entry has a higher version.
function revision.newest()
    if last > 0 then
        return last
    end
    return tonumber(box.space.kv_revision:get(ROW_ID)[RESERVED])
end

-- Takes the next number. Call it only after is_ready has returned true, with no yield between.
function revision.take()
    if last >= limit then
        error('revision: none is at hand')
    end
    last = last + 1
    if limit - last < RESERVE_BELOW and reserving == nil then
        -- The new fiber runs when this one yields.
        reserving = {cond = fiber.cond()}
        fiber.new(reserve, reserving)
    end
    return last
end

return revision
