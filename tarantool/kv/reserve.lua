-- Sets memory aside for writes that leave no more than they found: a touch, an update to something no larger, a
-- removal. Tarantool makes the new tuple before it frees the old one. So with a full memory these writes would fail,
-- and no client could even set an expiry time.
--
-- Tarantool allocates memory in slabs. A slab holds about a hundred tuples of one size, and the last slab of a size
-- is kept for that size. So the reserve is a few more rows than fill two slabs. They lie in a temporary space, which
-- is neither logged nor part of snapshots. To lend the reserve, the rows are deleted. Two whole slabs are then free
-- for tuples of up to the size of a row: a write may need one where it leaves a tuple of another size. Until the
-- reserve is whole again, no other write may use more memory than was in use when the memory was found full. So
-- inserts that are repeated cannot take the reserve.
local clock = require('clock')
local ffi = require('ffi')
local fiber = require('fiber')
local msgpack = require('msgpack')

-- space:insert and space:delete return tuples, which Lua would hold, with their memory, until it collects garbage.
for _, declaration in ipairs({
    'typedef struct tuple box_tuple_t;',
    'int box_insert(uint32_t space, const char *tuple, const char *tuple_end, box_tuple_t **result);',
    'int box_delete(uint32_t space, uint32_t index, const char *key, const char *key_end, box_tuple_t **result);',
}) do
    pcall(ffi.cdef, declaration)
end

local SPACE = 'kv_reserve'
local MIB = 1024 * 1024
-- The extents of an index need two, and sixteen is the largest slab.
local MEMORY_SHARE, MIN_SLAB_BYTES, MAX_SLAB_BYTES = 1 / 64, 2 * MIB, 16 * MIB
-- The part of a slab that a row takes. It must be more than a two hundredth, or half the slab would be enough.
local ROW_SHARE = 1 / 128
local ROWS = 270
local FILL_SECONDS = 1
local WAYS_TO_FIND_MEMORY = 2
-- How long to rest after a garbage collection, as a multiple of its duration: for writes that need more memory, and
-- for those that do not.
local LONG_REST, SHORT_REST = 20, 1

local reserve = {}

-- While the reserve is lent: {used, problem}. `used` is the bytes of tuples in use when memory was found full, and
-- `problem` is Tarantool's error.
local lent
-- When Lua's garbage was last collected, and how long that took.
local collected = {at = -math.huge, seconds = 0}

local function row_bytes()
    local bytes = math.max(MIN_SLAB_BYTES, math.min(MAX_SLAB_BYTES, box.cfg.memtx_memory * MEMORY_SHARE))
    local slab = 2 ^ math.floor(math.log(bytes) / math.log(2))
    -- Leaves room for what a tuple has beside the row.
    return math.min(slab * ROW_SHARE, box.cfg.memtx_max_tuple_size / 2)
end

local function insert(space, id, filler)
    local tuple = msgpack.encode({id, filler})
    local begin = ffi.cast('const char *', tuple)
    return ffi.C.box_insert(space.id, begin, begin + #tuple, nil) == 0
end

local function delete(space, id)
    local key = msgpack.encode({id})
    local begin = ffi.cast('const char *', key)
    ffi.C.box_delete(space.id, 0, begin, begin + #key, nil)
end

-- These functions call C functions that change data, which compiled code must not do.
jit.off(insert)
jit.off(delete)

local function empty(space)
    for id = 1, ROWS do
        delete(space, id)
    end
end

-- Objects that Lua no longer needs may hold the memory of tuples too.
local function collect()
    local began = clock.monotonic()
    collectgarbage()
    collected = {at = clock.monotonic(), seconds = clock.monotonic() - began}
end

-- A collection blocks everything else, so it gets only a part of the time.
local function may_collect(growth)
    local rest = growth > 0 and LONG_REST or SHORT_REST
    return clock.monotonic() >= collected.at + rest * collected.seconds
end

local function bytes_used()
    return box.slab.info().items_used
end

-- Returns whether there was a reserve to lend.
local function lend(problem)
    local space = box.space[SPACE]
    if space == nil or space:len() == 0 then
        return false
    end
    empty(space)
    collect()
    lent = {used = bytes_used(), problem = problem}
    return true
end

-- Fills the reserve whole or not at all. A part of it would be useless here, and may be useful elsewhere.
local function fill()
    local space = box.space[SPACE]
    if space:len() == ROWS then
        return
    end
    local filler = ('\0'):rep(row_bytes())
    for id = 1, ROWS do
        if not insert(space, id, filler) then
            empty(space)
            return
        end
    end
    lent = nil
end

function reserve.is_out_of_memory(problem)
    return type(problem) == 'cdata' and problem.type == 'OutOfMemory'
end

local function has_room(growth)
    return growth <= 0 or bytes_used() + growth <= lent.used
end

-- Returns whether another attempt is worthwhile.
local function find_memory(growth, problem)
    if not reserve.is_out_of_memory(problem) then
        return false
    elseif may_collect(growth) then
        collect()
        return true
    end
    return growth <= 0 and lend(problem)
end

function reserve.is_lent()
    return lent ~= nil
end

-- Runs write(...), after which `growth` more bytes are in use, and repeats it where memory is full and some can be
-- found. Nothing yields between two attempts, so earlier decisions still hold. Throws what `write` throws.
function reserve.write(growth, write, ...)
    if lent ~= nil and not has_room(growth) then
        if may_collect(growth) then
            collect()
        end
        if not has_room(growth) then
            error(lent.problem, 0)
        end
    end
    local ok, problem = pcall(write, ...)
    for _ = 1, WAYS_TO_FIND_MEMORY do
        if not ok and find_memory(growth, problem) then
            ok, problem = pcall(write, ...)
        end
    end
    if not ok then
        error(problem, 0)
    end
end

local function run()
    fiber.name('reserve')
    while true do
        fill()
        fiber.sleep(FILL_SECONDS)
    end
end

-- Makes the space and keeps it filled. Returns the fiber.
function reserve.start()
    if box.space[SPACE] == nil then
        local space = box.schema.space.create(SPACE, {temporary = true})
        space:create_index('primary', {parts = {{field = 1, type = 'unsigned'}}})
    end
    return fiber.create(run)
end

return reserve
