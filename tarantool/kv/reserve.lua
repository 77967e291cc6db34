-- Memory that is set aside for writes that leave no more than they found: a touch, an update to something no larger, a removal.
-- Tarantool makes the new tuple before it frees the old one, so with a full memory they would fail, and nobody could say that
-- entries shall end.
--
-- Tarantool gives memory out in slabs, of which each holds about a hundred tuples of one size, and keeps the last slab of a size
-- for that size. So the reserve is a few more rows than fill two slabs, in a temporary space, which is neither logged nor in
-- snapshots. When it is lent, these are deleted, and two whole slabs are free for tuples of up to the size of a row: a write may
-- need one where it leaves a tuple of another size. Until the reserve is whole again, no other write may bring into use more than
-- was in use when memory was found full, so that inserts that go on trying cannot take it.
local clock = require('clock')
local ffi = require('ffi')
local fiber = require('fiber')
local msgpack = require('msgpack')

-- Not by space:insert and space:delete: Lua would hold the tuples that they return, and so their memory, until it collects garbage.
for _, declaration in ipairs({
    'typedef struct tuple box_tuple_t;',
    'int box_insert(uint32_t space, const char *tuple, const char *tuple_end, box_tuple_t **result);',
    'int box_delete(uint32_t space, uint32_t index, const char *key, const char *key_end, box_tuple_t **result);',
}) do
    pcall(ffi.cdef, declaration)
end

local SPACE = 'kv_reserve'
local MIB = 1024 * 1024
-- Two is what the extents of an index need, sixteen the largest slab there is.
local MEMORY_SHARE, MIN_SLAB_BYTES, MAX_SLAB_BYTES = 1 / 64, 2 * MIB, 16 * MIB
-- Of a slab; more than a two hundredth, or half the slab would do.
local ROW_SHARE = 1 / 128
local ROWS = 270
local FILL_SECONDS = 1
local WAYS_TO_FIND_MEMORY = 2
-- As many times as long as a collection took: for what needs more memory, and for what leaves no more.
local LONG_REST, SHORT_REST = 20, 1

local reserve = {}

-- While the reserve is lent: {used, problem}, the bytes of tuples in use when memory was found full, and how Tarantool said so.
local lent
-- When Lua's garbage was collected last, and how long that took.
local collected = {at = -math.huge, seconds = 0}

local function row_bytes()
    local bytes = math.max(MIN_SLAB_BYTES, math.min(MAX_SLAB_BYTES, box.cfg.memtx_memory * MEMORY_SHARE))
    local slab = 2 ^ math.floor(math.log(bytes) / math.log(2))
    -- With room for what a tuple has beside it.
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

-- They call C functions that change data, which compiled code may not.
jit.off(insert)
jit.off(delete)

local function empty(space)
    for id = 1, ROWS do
        delete(space, id)
    end
end

-- What Lua no longer needs holds memory of tuples as well.
local function collect()
    local began = clock.monotonic()
    collectgarbage()
    collected = {at = clock.monotonic(), seconds = clock.monotonic() - began}
end

-- Nothing else runs meanwhile, so it gets a part of the time only.
local function may_collect(growth)
    local rest = growth > 0 and LONG_REST or SHORT_REST
    return clock.monotonic() >= collected.at + rest * collected.seconds
end

local function bytes_used()
    return box.slab.info().items_used
end

-- Returns whether there was anything to lend.
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

-- All, or nothing: less would be of no use here, and may be elsewhere.
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

-- Returns whether it is worth another try.
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

-- Carries out write(...), after which `growth` bytes more are in use, and again where memory is full and some can be found. Nothing
-- yields between two tries, so what was decided holds. Throws what `write` throws.
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

-- Makes the space, and keeps it filled. Returns the fiber.
function reserve.start()
    if box.space[SPACE] == nil then
        local space = box.schema.space.create(SPACE, {temporary = true})
        space:create_index('primary', {parts = {{field = 1, type = 'unsigned'}}})
    end
    return fiber.create(run)
end

return reserve
