local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local tap = require('tap')

local settings = require('kv.settings')

local function read(env)
    return settings.read(function(name)
        return env[name]
    end)
end

local test = tap.test('settings')
test:plan(6)

test:test('defaults', function(t)
    t:plan(1)
    t:is_deeply(read({DATA_DIR = ''}), {
        listen = '127.0.0.1:3301', user = 'api_user', wal_mode = 'fsync', memory_bytes = 256 * 1024 * 1024,
        changes_bytes = 32 * 1024 * 1024, retries_bytes = 32 * 1024 * 1024, retries_ttl_s = 600,
        max_tuple_bytes = 1048576 * 9 / 4 + 65536, is_embedded = false, log_level = 4,
    }, 'are safe, and an empty variable counts as unset')
end)

test:test('where to listen', function(t)
    local cases = {
        ['3400'] = '127.0.0.1:3400', ['0.0.0.0:3400'] = '0.0.0.0:3400', ['localhost:3400'] = 'localhost:3400',
        ['1'] = '127.0.0.1:1', ['65535'] = '127.0.0.1:65535', ['/' .. ('x'):rep(106)] = 'unix/:/' .. ('x'):rep(106),
        ['[::1]:3400'] = '[::1]:3400', ['/run/kv.sock'] = 'unix/:/run/kv.sock', ['unix/:/run/kv.sock'] = 'unix/:/run/kv.sock',
    }
    t:plan(9 + 3)
    for given, expected in pairs(cases) do
        t:is(read({TARANTOOL_LISTEN = given}).listen, expected, given)
    end
    t:is(read({TARANTOOL_PORT = '65535'}).listen, '127.0.0.1:65535', 'the highest port')
    t:is(read({TARANTOOL_PORT = '3400'}).listen, '127.0.0.1:3400', 'TARANTOOL_PORT')
    t:is(read({TARANTOOL_PORT = '3400', TARANTOOL_LISTEN = '3500'}).listen, '127.0.0.1:3500', 'gives way to TARANTOOL_LISTEN')
end)

test:test('what is given', function(t)
    t:plan(1)
    t:is_deeply(read({
        TARANTOOL_USER = 'me', TARANTOOL_PASSWORD = 'p', TARANTOOL_WAL_MODE = 'write', TARANTOOL_MEMORY = '64',
        DATA_DIR = '/var/kv', MAX_BODY_BYTES = '4', TARANTOOL_EMBEDDED = 'true', TARANTOOL_LOG_LEVEL = 'debug',
        CHANGES_MEMORY = '8', IDEMPOTENCY_MEMORY = '9', IDEMPOTENCY_TTL = '10',
    }), {
        listen = '127.0.0.1:3301', user = 'me', password = 'p', wal_mode = 'write', memory_bytes = 64 * 1024 * 1024,
        changes_bytes = 8 * 1024 * 1024, retries_bytes = 9 * 1024 * 1024, retries_ttl_s = 10,
        data_dir = '/var/kv', max_tuple_bytes = 9 + 65536, is_embedded = true, log_level = 7,
    }, 'counts')
end)

test:test('the level of the log', function(t)
    local levels = {fatal = 0, syserror = 1, error = 2, crit = 3, warn = 4, info = 5, verbose = 6, debug = 7}
    t:plan(8)
    for name, level in pairs(levels) do
        t:is(read({TARANTOOL_LOG_LEVEL = name}).log_level, level, name)
    end
end)

test:test('what is wrong', function(t)
    local SOCKET = 'a port, host:port, or the absolute path of a unix socket of at most 107 bytes'
    local USER = 'a name of letters, digits, "_", "-" and "." that is not one of Tarantool\'s own'
    local cases = {
        {'TARANTOOL_LISTEN', 'nowhere', SOCKET}, {'TARANTOOL_LISTEN', '0', SOCKET}, {'TARANTOOL_LISTEN', 'host:70000', SOCKET},
        {'TARANTOOL_LISTEN', 'u:p@host:3301', SOCKET}, {'TARANTOOL_LISTEN', '/' .. ('x'):rep(107), SOCKET},
        {'TARANTOOL_PORT', '65536', 'a port from 1 to 65535'}, {'TARANTOOL_PORT', '0x10', 'a port from 1 to 65535'},
        {'TARANTOOL_USER', 'admin', USER}, {'TARANTOOL_USER', 'a b', USER}, {'TARANTOOL_USER', 'guest', USER},
        {'TARANTOOL_USER', 'public', USER}, {'TARANTOOL_USER', 'super', USER}, {'TARANTOOL_USER', 'replication', USER},
        {'TARANTOOL_WAL_MODE', 'none', 'fsync or write'},
        {'TARANTOOL_MEMORY', '63', 'MiB from 64 to 1048576'}, {'TARANTOOL_MEMORY', '1e3', 'MiB from 64 to 1048576'},
        {'CHANGES_MEMORY', '129', 'at most half of TARANTOOL_MEMORY, in MiB'},
        {'CHANGES_MEMORY', '-1', 'MiB from 0 to 1048576'},
        {'IDEMPOTENCY_MEMORY', '129', 'at most half of TARANTOOL_MEMORY, in MiB'},
        {'IDEMPOTENCY_MEMORY', '0', 'MiB from 1 to 1048576'},
        {'IDEMPOTENCY_TTL', '0', 'seconds from 1 to 604800'}, {'IDEMPOTENCY_TTL', '604801', 'seconds from 1 to 604800'},
        {'MAX_BODY_BYTES', '-1', 'bytes from 1 to 67108864'},
        {'TARANTOOL_EMBEDDED', 'yes', 'true or false'},
        {'TARANTOOL_LOG_LEVEL', '5', 'fatal, syserror, error, crit, warn, info, verbose or debug'},
    }
    t:plan(#cases)
    for _, case in ipairs(cases) do
        local name, value, takes = case[1], case[2], case[3]
        local _, problem = read({[name] = value})
        t:is(problem, ('%s is "%s", but takes %s'):format(name, value, takes), name)
    end
end)

test:test('an environment that cannot be read', function(t)
    t:plan(1)
    local _, problem = pcall(require('kv.settings').read, function() error('a bug', 0) end)
    t:is(problem, 'a bug', 'is no mistake in a setting')
end)

support.finish(test)
