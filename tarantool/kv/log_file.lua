-- Checks how a snapshot or a file of the write-ahead log is built, without decoding its rows. Both consist of a text
-- header, blocks with a checksum each, and an end mark, which is missing only after a crash.
-- https://www.tarantool.io/en/doc/latest/dev_guide/internals/file_formats/
local digest = require('digest')
local fiber = require('fiber')
local fio = require('fio')
local msgpack = require('msgpack')
local xlog = require('xlog')

local MAX_HEADER_BYTES = 4096
local CHUNK_BYTES = 1024 * 1024
-- Bounds of the search behind a cut.
local MAX_CANDIDATES, MAX_CANDIDATE_BYTES = 1000, 256 * CHUNK_BYTES
local ROWS_BETWEEN_YIELDS = 10000

-- The head of a block: the magic, then as MessagePack the length, the checksum of the block before, its own checksum,
-- and padding.
local BLOCK_HEAD_BYTES, MAGIC_BYTES = 19, 4
local PLAIN, COMPRESSED, END = '\xd5\xba\x0b\xab', '\xd5\xba\x0b\xba', '\xd5\x10\xad\xed'

local log_file = {}

-- Computes a CRC32C that begins at 0. Where this Tarantool has another object behind digest.crc32, checking is left
-- to Tarantool.
local function checksum(bytes)
    local state = digest.crc32.new()
    state.value = 0
    state:update(bytes)
    return state:result()
end
local has_checksum = pcall(checksum, 'abc') and checksum('abc') == 1445960909

local function reader(file)
    local chunk, from = '', 0
    return function(at, count)
        if at < from or at + count > from + #chunk then
            chunk, from = file:pread(math.max(count, CHUNK_BYTES), at) or '', at
        end
        return chunk:sub(at - from + 1, at - from + count)
    end
end

-- Parses {1: 26, 2: 5} into a table. nil where the header does not have it.
local function vclock_of(header, name)
    local text = header:match('\n' .. name .. ': {([^\n]*)}\n')
    if text ~= nil then
        local vclock = {}
        for id, lsn in text:gmatch('(%d+): (%d+)') do
            vclock[tonumber(id)] = tonumber(lsn)
        end
        return vclock
    end
end

-- Returns the length of the block at a place, its head included; or nil, whether only the end of the block is
-- missing, and how many bytes have a wrong checksum.
local function block_bytes(read, at, bytes)
    local head = read(at, BLOCK_HEAD_BYTES)
    local magic = head:sub(1, MAGIC_BYTES)
    if #head < BLOCK_HEAD_BYTES then
        return nil, magic == PLAIN:sub(1, #magic) or magic == COMPRESSED:sub(1, #magic) or magic == END:sub(1, #magic)
    elseif magic ~= PLAIN and magic ~= COMPRESSED then
        return nil, false
    end
    local ok, length, place = pcall(msgpack.decode, head, MAGIC_BYTES + 1)
    if not ok or type(length) ~= 'number' then
        return nil, false
    elseif at + BLOCK_HEAD_BYTES + length > bytes then
        return nil, true
    end
    local _, after_previous = msgpack.decode(head, place)
    local own_ok, own = pcall(msgpack.decode, head, after_previous)
    if not own_ok or (has_checksum and checksum(read(at + BLOCK_HEAD_BYTES, length)) ~= own) then
        return nil, false, length
    end
    return BLOCK_HEAD_BYTES + length
end

-- Whether a sound block follows. Nothing follows behind a block that a crash has cut, so a sound block further on
-- means that a length is wrong. Where very many places, or very large ones, look like a block, that counts as one,
-- because a client can have written them, and each takes time to check.
local function has_block_behind(read, at, bytes)
    local rest = read(at, bytes - at)
    local candidates, bytes_read = 0, 0
    for _, magic in ipairs({PLAIN, COMPRESSED}) do
        local found = rest:find(magic, 2, true)
        while found ~= nil do
            local length, _, wrong_bytes = block_bytes(read, at + found - 1, bytes)
            candidates, bytes_read = candidates + 1, bytes_read + (wrong_bytes or 0)
            if length ~= nil or candidates > MAX_CANDIDATES or bytes_read > MAX_CANDIDATE_BYTES then
                return true
            end
            found = rest:find(magic, found + 1, true)
        end
    end
    return false
end

-- Returns a state and the number of sound bytes. The state is 'closed', 'open' (no end mark), 'cut' (the last block
-- is incomplete), or 'damaged'.
local function walk(read, at, bytes)
    while at < bytes do
        if read(at, MAGIC_BYTES) == END then
            at = at + MAGIC_BYTES
            return at == bytes and 'closed' or 'damaged', at
        end
        local length, is_cut = block_bytes(read, at, bytes)
        if length == nil then
            return is_cut and not has_block_behind(read, at, bytes) and 'cut' or 'damaged', at
        end
        at = at + length
    end
    return 'open', at
end

-- Returns {path, bytes, state, sound_bytes, vclock, prev_vclock}, or throws where the file cannot be read at all. A
-- file without a complete header counts as damaged from its first byte on.
function log_file.read(path)
    local file, problem = fio.open(path, {'O_RDONLY'})
    if file == nil then
        error(('cannot read %s: %s'):format(path, problem), 0)
    end
    local bytes = file:stat().size
    local read = reader(file)
    local result = {path = path, bytes = bytes, state = 'damaged', sound_bytes = 0}
    local header = read(0, MAX_HEADER_BYTES):match('^%u+\n.-\n\n')
    if header ~= nil then
        result.vclock = vclock_of(header, 'VClock') or {}
        result.prev_vclock = vclock_of(header, 'PrevVClock')
        result.state, result.sound_bytes = walk(read, #header, bytes)
    end
    file:close()
    return result
end

-- The vclock behind the last row of a log. This decodes all of its rows.
function log_file.end_of(log)
    local vclock = {}
    for id, lsn in pairs(log.vclock) do
        vclock[id] = lsn
    end
    local rows = 0
    for _, each in xlog.pairs(log.path) do
        rows = rows + 1
        if rows % ROWS_BETWEEN_YIELDS == 0 then
            fiber.yield()
        end
        local id = each.HEADER.replica_id or 0
        vclock[id] = math.max(vclock[id] or 0, tonumber(each.HEADER.lsn) or 0)
    end
    return vclock
end

return log_file
