-- How large an answer may be. The service sets room aside before it receives a large answer. So a function that would
-- return one unasked returns only its size. The caller then calls again and says that the answer may be large. This
-- file also measures how much JSON an answer makes, because the limits that clients are promised are about JSON.
local bit = require('bit')
local ffi = require('ffi')

local band, bor, bxor, bnot = bit.band, bit.bor, bit.bxor, bit.bnot
local field = ffi.C.box_tuple_field

local answer = {
    -- A value of up to this many bytes is answered at once, without room set aside.
    SMALL_BYTES = 16 * 1024,
    -- The most bytes of one answer, in the store and as JSON.
    MAX_BYTES = 16 * 1024 * 1024,
}

-- The most bytes of JSON that one byte of MessagePack can become: a control character of a string, or false and its
-- comma.
local MAX_GROWTH = 6
-- The other members of an operation's result and the comma, beside the value.
local RESULT_BYTES = 160

-- Tables by the first byte of a MessagePack value: the most bytes of JSON that it makes, with a comma or colon; the
-- bytes behind the first one that belong to it; and how many of these, at their beginning, are a length or a count.
local json_bytes = ffi.new('uint8_t[256]')
local own_bytes = ffi.new('uint8_t[256]')
local length_bytes = ffi.new('uint8_t[256]')
-- By how many bytes each byte of a string becomes longer in JSON.
local escape_bytes = ffi.new('uint8_t[256]')

local function describe(first, last, json, own, length)
    for code = first, last do
        json_bytes[code], own_bytes[code], length_bytes[code] = json, own or 0, length or 0
    end
end

describe(0x00, 0x09, 2)
describe(0x0a, 0x63, 3)
describe(0x64, 0x7f, 4)
describe(0x80, 0xbf, 3)
describe(0xc0, 0xc0, 5)
describe(0xc2, 0xc2, 6)
describe(0xc3, 0xc3, 5)
describe(0xca, 0xca, 25, 4)
describe(0xcb, 0xcb, 25, 8)
for size, digits in pairs({3, 5, [4] = 10, [8] = 20}) do
    local at = ({0, 1, [4] = 2, [8] = 3})[size]
    describe(0xcc + at, 0xcc + at, digits + 1, size)
    describe(0xd0 + at, 0xd0 + at, digits + 2, size)
end
for at, size in ipairs({1, 2, 4}) do
    describe(0xd8 + at, 0xd8 + at, 3, size, size)
end
for at, size in ipairs({2, 4}) do
    describe(0xdb + at, 0xdb + at, 3, size, size)
    describe(0xdd + at, 0xdd + at, 3, size, size)
end
describe(0xe0, 0xf6, 4)
describe(0xf7, 0xff, 3)

for code = 0, 31 do
    escape_bytes[code] = 5
end
for _, code in ipairs({8, 9, 10, 12, 13, 34, 92}) do
    escape_bytes[code] = 1
end

local ONES, HIGH_BITS = 0x0101010101010101ULL, 0x8080808080808080ULL
local SPACES, QUOTES, BACKSLASHES = 0x2020202020202020ULL, 0x2222222222222222ULL, 0x5c5c5c5c5c5c5c5cULL

-- How many bytes at the beginning need no escape. It compares eight bytes at a time: a MiB takes 0.3 ms, and byte by
-- byte 1.5 ms. It may stop early.
local function plain_bytes(bytes, count)
    local words = ffi.cast('const uint64_t *', bytes)
    local at, whole = 0, math.floor(count / 8)
    while at < whole do
        local word = words[at]
        local quote, backslash = bxor(word, QUOTES), bxor(word, BACKSLASHES)
        local found = bor(band(word - SPACES, bnot(word)), band(quote - ONES, bnot(quote)), band(backslash - ONES, bnot(backslash)))
        if band(found, HIGH_BITS) ~= 0 then
            break
        end
        at = at + 1
    end
    return 8 * at
end

-- Two simple loops in a row. LuaJIT compiles nested loops on some runs only.
local function string_growth(bytes, count, limit)
    local growth = 0
    for at = plain_bytes(bytes, count), count - 1 do
        growth = growth + escape_bytes[bytes[at]]
        if growth > limit then
            break
        end
    end
    return growth
end

local function unsigned(bytes, count)
    local number = 0
    for i = 0, count - 1 do
        number = number * 256 + bytes[i]
    end
    return number
end

-- The most bytes of JSON that the value of a tuple makes. A number of more than one byte counts with all the digits
-- that its type can have. It stops soon above the limit.
function answer.json_bytes(tuple, limit)
    local bytes = ffi.cast('const uint8_t *', field(tuple, 1))
    local at, values_left, total = 0, 1, 0
    while values_left > 0 and total <= limit do
        local code = bytes[at]
        total = total + json_bytes[code]
        values_left = values_left - 1
        at = at + 1
        if code < 0x80 then
            -- A small number. There may be very many, and this is four times as fast as the general way below.
            goto continue
        end
        at = at + own_bytes[code]
        if code <= 0xbf or code >= 0xd9 and code <= 0xdf then
            local count = length_bytes[code] > 0 and unsigned(bytes + at - length_bytes[code], length_bytes[code])
            if code <= 0x8f then
                values_left = values_left + 2 * (code - 0x80)
            elseif code <= 0x9f then
                values_left = values_left + code - 0x90
            elseif code <= 0xdb then
                count = count or code - 0xa0
                total = total + count + string_growth(bytes + at, count, limit)
                at = at + count
            else
                values_left = values_left + (code >= 0xde and 2 or 1) * count
            end
        elseif json_bytes[code] == 0 then
            -- Not JSON: decoding the value fails.
            return total
        end
        ::continue::
    end
    return total
end

-- The bytes that the tuples have in the store.
function answer.bytes(tuples)
    local bytes = 0
    for i = 1, #tuples do
        bytes = bytes + tuples[i]:bsize()
    end
    return bytes
end

-- Whether the results of so many operations fit into MAX_BYTES, with these tuples read, `bytes` of them in all. Most
-- results are so small that nothing has to be counted. Otherwise each tuple is counted once, and at most MAX_BYTES of
-- them, because the store serves nothing else meanwhile.
function answer.fits(tuples, bytes, operations)
    local left = answer.MAX_BYTES - operations * RESULT_BYTES
    if bytes > left then
        return false
    elseif bytes * MAX_GROWTH <= left then
        return true
    end
    local counted = {}
    for i = 1, #tuples do
        local tuple = tuples[i]
        local key = tuple[1]
        local seen = counted[key]
        if seen == nil or seen.tuple ~= tuple then
            seen = {tuple = tuple, json_bytes = answer.json_bytes(tuple, left)}
            counted[key] = seen
        end
        left = left - seen.json_bytes
        if left < 0 then
            return false
        end
    end
    return true
end

return answer
