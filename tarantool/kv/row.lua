-- The rows of the space kv: {key, value, version}, and expires_at behind them only where the entry expires.
--
-- A row is made from a key and the MessagePack of a map, without decoding it. A map that passes through a Lua table
-- loses the order of its members, and is refused below 127 levels. A row is a tuple that is not bound to a space.
--
-- Measured on 2.6 with 100 B: a row takes 0.7 us here, and 5 us as a string put together from the encoded parts. The
-- replace takes as much again. Calling box_replace by FFI would save half of that, but it is not safe: a Lua trigger
-- on the space that is called back under a compiled trace would end the process.
local bit = require('bit')
local ffi = require('ffi')
local msgpack = require('msgpack')

-- Positions of the fields. The same positions are defined for TypeScript in src/store/positions.ts.
local row = {KEY = 1, VALUE = 2, VERSION = 3, EXPIRES_AT = 4}

local EXPIRES_AT = row.EXPIRES_AT
local field = ffi.C.box_tuple_field

-- In milliseconds since the epoch. nil for a row that does not expire, and for no row. Tarantool gives integers from
-- 10^14 on as cdata, which is why they are converted.
function row.expires_at(tuple)
    if tuple ~= nil and #tuple >= EXPIRES_AT then
        return tonumber(tuple[EXPIRES_AT])
    end
end

-- The space's format tells a map from other types, but not well-formed bytes from malformed ones. Malformed bytes are
-- refused here.
local function refuse_malformed()
    box.error({code = box.error.INVALID_MSGPACK, reason = 'Invalid MsgPack - value'})
end

local function check_types(key, value)
    if type(key) ~= 'string' or type(value) ~= 'string' then
        box.error(box.error.ILLEGAL_PARAMS, 'a key and the MessagePack of its value, both strings')
    end
end

if msgpack.object_from_raw ~= nil then
    -- In Tarantool 2.10 and later, this function checks the bytes itself.
    local object_from_raw = msgpack.object_from_raw

    function row.new(key, value, version, expires_at)
        check_types(key, value)
        local ok, map = pcall(object_from_raw, value)
        if not ok then
            refuse_malformed()
        end
        return box.tuple.new({key, map, version, expires_at})
    end
else
    ffi.cdef([[
        typedef struct tuple_format box_tuple_format_t;
        box_tuple_format_t *box_tuple_format_default(void);
        struct tuple *box_tuple_new(box_tuple_format_t *format, const char *begin, const char *end);
        int mp_check(const char **begin, const char *end);
    ]])
    local C = ffi.C
    local bless = box.internal.tuple.bless
    local position = ffi.new('const char *[1]')

    local rshift, band = bit.rshift, bit.band
    local TWO_TO_32 = 4294967296

    local BUFFER_BYTES = 16 * 1024
    -- The bytes beside the key and the value: a header of the array, one of the key, and two integers.
    local OVERHEAD_BYTES = 1 + 5 + 9 + 9
    -- The buffer is reused, so that a row leaves no garbage. A larger row gets a buffer of its own.
    local buffer = ffi.new('uint8_t[?]', BUFFER_BYTES)

    -- Each function returns the place behind what it wrote. Loops are avoided, because they would end the traces.
    local function put_u8(to, number)
        to[0] = number
        return to + 1
    end

    local function put_u16(to, number)
        to[0] = rshift(number, 8)
        to[1] = band(number, 255)
        return to + 2
    end

    local function put_u32(to, number)
        return put_u16(put_u16(to, rshift(number, 16)), band(number, 65535))
    end

    local function put_string_head(to, length)
        if length < 32 then
            return put_u8(to, 0xa0 + length)
        elseif length < 256 then
            return put_u8(put_u8(to, 0xd9), length)
        elseif length < 65536 then
            return put_u16(put_u8(to, 0xda), length)
        end
        return put_u32(put_u8(to, 0xdb), length)
    end

    local function put_unsigned(to, number)
        if number < 128 then
            return put_u8(to, number)
        elseif number < 65536 then
            return put_u16(put_u8(to, 0xcd), number)
        elseif number < TWO_TO_32 then
            return put_u32(put_u8(to, 0xce), number)
        end
        local high = math.floor(number / TWO_TO_32)
        return put_u32(put_u32(put_u8(to, 0xcf), high), number - high * TWO_TO_32)
    end

    -- mp_check of 2.6 accepts the reserved byte 0xc1, and every reader takes it as one byte, so nothing else is
    -- misread. None of these C functions yields or calls back into Lua, so compiled traces may contain them. The
    -- tuple is not bound to a space. insert and replace copy it in and check it against the format, as they do with
    -- any tuple.
    function row.new(key, value, version, expires_at)
        check_types(key, value)
        local target, bytes = buffer, #key + #value + OVERHEAD_BYTES
        if bytes > BUFFER_BYTES then
            target = ffi.new('uint8_t[?]', bytes)
        end
        local stop = put_u8(target + 0, 0x92 + (version and 1 or 0) + (expires_at and 1 or 0))
        stop = put_string_head(stop, #key)
        ffi.copy(stop, key, #key)
        local from = stop + #key
        ffi.copy(from, value, #value)
        stop = from + #value
        position[0] = ffi.cast('const char *', from)
        if C.mp_check(position, ffi.cast('const char *', stop)) ~= 0 or ffi.cast('uint8_t *', position[0]) ~= stop then
            refuse_malformed()
        end
        if version ~= nil then
            stop = put_unsigned(stop, version)
        end
        if expires_at ~= nil then
            stop = put_unsigned(stop, expires_at)
        end
        local begin = ffi.cast('const char *', target)
        local tuple = C.box_tuple_new(C.box_tuple_format_default(), begin, ffi.cast('const char *', stop))
        if tuple == nil then
            box.error()
        end
        return bless(tuple)
    end
end

-- The row with another expiry time, or none, and otherwise unchanged. tuple:update is not used, because it allocates
-- its result in the memory of the entries. When that is full, only a write that replaces the entry can still get
-- memory (kv/reserve.lua).
function row.with_end(tuple, expires_at)
    local value = field(tuple, row.VALUE - 1)
    local bytes = ffi.string(value, field(tuple, row.VERSION - 1) - value)
    return row.new(tuple[row.KEY], bytes, tonumber(tuple[row.VERSION]), expires_at)
end

return row
