-- Rows from a key and the MessagePack of a map, undecoded: through a Lua table a map loses its member order, and is refused
-- below 127 levels. A row is whatever insert and replace of a space take.
--
-- Measured on 2.6 with 200 B, in us for row and replace: table 3.6; this 4.2; a merger over an ibuf 10 to 18; box_replace by FFI
-- 1.7, not taken: a Lua trigger on the space, called back under a compiled trace, would end the process. The table's cost grows
-- with the members, the others' hardly.
local ffi = require('ffi')
local msgpack = require('msgpack')

local row = {}

-- The space's format tells a map from the other types, not sound bytes from unsound ones: those are refused here.
local function refuse_malformed()
    box.error({code = box.error.INVALID_MSGPACK, reason = 'Invalid MsgPack - value'})
end

local function check_types(key, value)
    if type(key) ~= 'string' or type(value) ~= 'string' then
        box.error(box.error.ILLEGAL_PARAMS, 'a key and the MessagePack of its value, both strings')
    end
end

if msgpack.object_from_raw ~= nil then
    -- Tarantool 2.10 and later: it checks the bytes itself.
    local object_from_raw = msgpack.object_from_raw

    function row.new(key, value)
        check_types(key, value)
        local ok, map = pcall(object_from_raw, value)
        if not ok then
            refuse_malformed()
        end
        return {key, map}
    end
else
    ffi.cdef([[
        typedef struct tuple_format box_tuple_format_t;
        box_tuple_format_t *box_tuple_format_default(void);
        struct tuple *box_tuple_new(box_tuple_format_t *format, const char *begin, const char *end);
        int mp_check(const char **begin, const char *end);
    ]])
    local ARRAY_OF_2 = '\x92'
    local C = ffi.C
    local bless = box.internal.tuple.bless
    local position = ffi.new('const char *[1]')

    -- The reserved byte 0xc1 passes mp_check of 2.6; it takes one byte wherever it is read, so nothing else is misread.
    -- None of these C functions yields or calls back into Lua, so compiled traces may hold them. The tuple is not bound to a
    -- space; insert and replace copy it in and check it against the format, with all that they do for any tuple.
    function row.new(key, value)
        check_types(key, value)
        local raw = ARRAY_OF_2 .. msgpack.encode(key) .. value
        local begin = ffi.cast('const char *', raw)
        local stop = begin + #raw
        position[0] = begin
        if C.mp_check(position, stop) ~= 0 or position[0] ~= stop then
            refuse_malformed()
        end
        local tuple = C.box_tuple_new(C.box_tuple_format_default(), begin, stop)
        if tuple == nil then
            box.error()
        end
        return bless(tuple)
    end
end

return row
