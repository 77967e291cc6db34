-- A minimal client of the binary protocol. net.box of Tarantool 2.6 reads the schema when it connects, which the
-- service's user may not do.
local bit = require('bit')
local digest = require('digest')
local msgpack = require('msgpack')
local socket = require('socket')

local GREETING_BYTES = 128
local SALT_FROM, SALT_TO, SALT_BYTES = 65, 108, 20

-- src/box/iproto_constants.h
local TYPE = {select = 1, insert = 2, auth = 7, eval = 8, call = 10}
local HEADER_TYPE, HEADER_SYNC = 0x00, 0x01
local SPACE_ID, INDEX_ID, LIMIT, OFFSET, ITERATOR, KEY = 0x10, 0x11, 0x12, 0x13, 0x14, 0x20
local TUPLE, FUNCTION_NAME, USER_NAME, EXPR, DATA, ERROR = 0x21, 0x22, 0x23, 0x27, 0x30, 0x31
local ERROR_BIT = 0x8000

local client = {}
client.__index = client

local function map(fields)
    return setmetatable(fields, {__serialize = 'map'})
end

local function array(items)
    return setmetatable(items, {__serialize = 'seq'})
end

local function scramble(salt, password)
    local once = digest.sha1(password)
    local twice = digest.sha1(salt .. digest.sha1(once))
    return (once:gsub('()(.)', function(at, char)
        return string.char(bit.bxor(char:byte(), twice:byte(at)))
    end))
end

-- Returns a client, or nil where nobody listens. Without a user the client stays a guest.
function client.connect(host, service, user, password)
    local connection = socket.tcp_connect(host, service)
    if connection == nil then
        return nil
    end
    local greeting = connection:read(GREETING_BYTES)
    local self = setmetatable({connection = connection}, client)
    if user ~= nil then
        local salt = digest.base64_decode(greeting:sub(SALT_FROM, SALT_TO)):sub(1, SALT_BYTES)
        local answer = self:request(TYPE.auth, map({
            [USER_NAME] = user, [TUPLE] = {'chap-sha1', scramble(salt, password)},
        }))
        self.is_authenticated = answer.error == nil
    end
    return self
end

-- Returns {data} or {error, code}.
function client:request(type, body)
    local packet = msgpack.encode(map({[HEADER_TYPE] = type, [HEADER_SYNC] = 1})) .. msgpack.encode(body)
    self.connection:write(msgpack.encode(#packet) .. packet)
    local head = self.connection:read(5)
    if head == nil or #head < 5 then
        return {error = 'closed'}
    end
    local answer = self.connection:read((msgpack.decode(head)))
    local header, from = msgpack.decode(answer)
    local content = from <= #answer and msgpack.decode(answer, from) or {}
    local status = tonumber(header[HEADER_TYPE])
    if status ~= 0 then
        return {error = content[ERROR], code = status - ERROR_BIT}
    end
    return {data = content[DATA]}
end

function client:call(name, ...)
    return self:request(TYPE.call, map({[FUNCTION_NAME] = name, [TUPLE] = array({...})}))
end

function client:eval(code)
    return self:request(TYPE.eval, map({[EXPR] = code, [TUPLE] = array({})}))
end

function client:select(space_id)
    return self:request(TYPE.select, map({
        [SPACE_ID] = space_id, [INDEX_ID] = 0, [LIMIT] = 10, [OFFSET] = 0, [ITERATOR] = 2, [KEY] = array({}),
    }))
end

function client:insert(space_id, tuple)
    return self:request(TYPE.insert, map({[SPACE_ID] = space_id, [TUPLE] = tuple}))
end

function client:close()
    self.connection:close()
end

return client
