-- Reads the environment once. A problem is reported in one sentence that names the variable and what it accepts.
local fio = require('fio')

local KIB = 1024
local MIB = 1024 * KIB

local LOG_LEVELS = {fatal = 0, syserror = 1, error = 2, crit = 3, warn = 4, info = 5, verbose = 6, debug = 7}
local RESERVED_USERS = {admin = true, guest = true, public = true, super = true, replication = true}

-- sockaddr_un has room for 108 bytes with the closing NUL.
local MAX_SOCKET_PATH = 107

local settings = {}

local function refuse(name, value, takes)
    error({problem = ('%s is "%s", but takes %s'):format(name, value, takes)})
end

local function integer(name, value, min, max, unit)
    local number = value:match('^%d+$') and tonumber(value)
    if not number or number < min or number > max then
        refuse(name, value, ('%s from %d to %d'):format(unit, min, max))
    end
    return number
end

local function one_of(name, value, choices, takes)
    if choices[value] == nil then
        refuse(name, value, takes)
    end
    return choices[value]
end

-- A bare port listens on loopback only. To be reachable from elsewhere, the operator has to write the address.
local function address(name, value)
    local path = value:match('^unix/:(/.+)$') or value:match('^/.+$')
    if path ~= nil and #path <= MAX_SOCKET_PATH then
        return 'unix/:' .. path
    end
    local host, port = value:match('^([^@/]+):(%d+)$')
    port = tonumber(port or value:match('^%d+$'))
    if path ~= nil or port == nil or port < 1 or port > 65535 then
        refuse(name, value, 'a port, host:port, or the absolute path of a unix socket of at most 107 bytes')
    end
    return ('%s:%d'):format(host or '127.0.0.1', port)
end

-- How many bytes of MessagePack a JSON body can become. "1e9," has 4 bytes of text and becomes a double of 9 bytes.
local function tuple_bytes(body_bytes)
    return math.ceil(body_bytes * 9 / 4) + 64 * KIB
end

local function read(env)
    local function get(name, default)
        local value = env(name)
        return value ~= nil and value ~= '' and value or default
    end

    local data_dir = get('DATA_DIR')
    local user = get('TARANTOOL_USER', 'api_user')
    if RESERVED_USERS[user] or not user:match('^[%w_.-]+$') then
        refuse('TARANTOOL_USER', user, 'a name of letters, digits, "_", "-" and "." that is not one of Tarantool\'s own')
    end
    local body_bytes = integer('MAX_BODY_BYTES', get('MAX_BODY_BYTES', '1048576'), 1, 64 * MIB, 'bytes')
    local memory = integer('TARANTOOL_MEMORY', get('TARANTOOL_MEMORY', '256'), 64, MIB, 'MiB')
    local changes = integer('CHANGES_MEMORY', get('CHANGES_MEMORY', '32'), 0, MIB, 'MiB')
    if changes > memory / 2 then
        refuse('CHANGES_MEMORY', tostring(changes), 'at most half of TARANTOOL_MEMORY, in MiB')
    end
    local retries = integer('IDEMPOTENCY_MEMORY', get('IDEMPOTENCY_MEMORY', '32'), 1, MIB, 'MiB')
    if retries > memory / 2 then
        refuse('IDEMPOTENCY_MEMORY', tostring(retries), 'at most half of TARANTOOL_MEMORY, in MiB')
    end
    local port = integer('TARANTOOL_PORT', get('TARANTOOL_PORT', '3301'), 1, 65535, 'a port')
    return {
        listen = address('TARANTOOL_LISTEN', get('TARANTOOL_LISTEN', tostring(port))),
        user = user,
        password = get('TARANTOOL_PASSWORD'),
        wal_mode = one_of('TARANTOOL_WAL_MODE', get('TARANTOOL_WAL_MODE', 'fsync'),
            {fsync = 'fsync', write = 'write'}, 'fsync or write'),
        memory_bytes = memory * MIB,
        changes_bytes = changes * MIB,
        retries_bytes = retries * MIB,
        retries_ttl_s = integer('IDEMPOTENCY_TTL', get('IDEMPOTENCY_TTL', '600'), 1, 7 * 86400, 'seconds'),
        data_dir = data_dir and fio.abspath(data_dir),
        max_tuple_bytes = tuple_bytes(body_bytes),
        is_embedded = one_of('TARANTOOL_EMBEDDED', get('TARANTOOL_EMBEDDED', 'false'),
            {['true'] = true, ['false'] = false}, 'true or false'),
        log_level = one_of('TARANTOOL_LOG_LEVEL', get('TARANTOOL_LOG_LEVEL', 'warn'),
            LOG_LEVELS, 'fatal, syserror, error, crit, warn, info, verbose or debug'),
    }
end

-- Returns the settings, or nil and a sentence. `env` is os.getenv or a function like it.
function settings.read(env)
    local ok, result = pcall(read, env)
    if ok then
        return result
    elseif type(result) == 'table' then
        return nil, result.problem
    end
    error(result, 0)
end

return settings
