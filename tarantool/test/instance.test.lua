local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local client = require('client')
local ffi = require('ffi')
local fio = require('fio')
local msgpack = require('msgpack')
local popen = require('popen')
local socket = require('socket')
local tap = require('tap')

local SOCKET = fio.pathjoin(support.folder, 'kv.sock')
local DATA = fio.pathjoin(support.folder, 'data')
local ONE = msgpack.encode({n = 1})

local function connect(user, password)
    return client.connect('unix/', SOCKET, user or 'api_user', password or support.password)
end

local function stop(child)
    child.handle:shutdown({stdin = true})
    return child.wait()
end

-- The supervisor shows the last line as the reason.
local function last_line(child)
    return child.stderr:match('([^\n]+)\n$')
end

local test = tap.test('instance')
test:plan(8)

test:test('a first start', function(t)
    t:plan(9)
    local child = support.spawn_instance()
    t:ok(support.is_ready(child), 'prints that it is ready')
    t:like(child.stdout, '^kv: ready, Tarantool %d+%.%d+%S* listens on unix/:' .. SOCKET:gsub('%p', '%%%0') .. '\n$', 'and no more')
    t:is(fio.stat(DATA).mode % 512, tonumber('0700', 8), 'in a folder for its owner only')
    local user = connect()
    t:is_deeply(user:call('kv.get', 'state').data, {0, {'state', {status = 'ok'}, 1}}, 'with the entry state')
    user:call('kv.delete', 'state')
    t:is(user:call('kv.insert', 'k', ONE).data[1], 0, 'and serves')
    local missing = {}
    for _, name in ipairs(require('kv.access').functions) do
        if user:call(name).code == box.error.NO_SUCH_PROC then
            table.insert(missing, name)
        end
    end
    t:is_deeply(missing, {}, 'all of its functions')

    local second = support.spawn_instance({TARANTOOL_LISTEN = fio.pathjoin(support.folder, 'other.sock')})
    t:is(second.wait(), 1, 'a second one on the same folder does not start')
    t:is(last_line(second), ('kv: data directory "%s" is in use by another instance'):format(DATA), 'and says why')

    t:is(stop(child), 0, 'the end of its standard input ends it')
end)

test:test('a restart', function(t)
    t:plan(7)
    local child = support.spawn_instance({TARANTOOL_PASSWORD = ''})
    t:ok(support.is_ready(child), 'needs no password once there is a user')
    local user = connect()
    t:is_deeply(user:call('kv.get', 'k').data[2][2], {n = 1}, 'finds the entries')
    t:is_deeply(user:call('kv.get', 'state').data, {1}, 'and not the entry state that was deleted')
    user:call('kv.insert', 'last', ONE)
    child.handle:signal(popen.signal.SIGKILL)
    t:is(child.wait(), -9, 'it may be killed')
    child = support.spawn_instance()
    t:ok(support.is_ready(child), 'starts again')
    t:is_deeply(connect():call('kv.get', 'last').data[2][2], {n = 1}, 'with all that was acknowledged')
    child.handle:signal(popen.signal.SIGTERM)
    t:is(child.wait(), 0, 'SIGTERM ends it cleanly')
end)

test:test('a supervisor that is killed', function(t)
    t:plan(3)
    local log = fio.pathjoin(support.folder, 'out')
    -- The shell acts as the supervisor: it alone holds the other end of its child's standard input.
    local supervisor = support.spawn({'/bin/sh', '-c', ('mkfifo %s.in; tarantool %s <%s.in >%s & exec 3>%s.in; echo "pid $!"; wait')
        :format(log, support.instance_file, log, log, log)}, {
        TARANTOOL_EMBEDDED = 'true', TARANTOOL_LISTEN = SOCKET, TARANTOOL_PASSWORD = support.password, DATA_DIR = DATA,
    })
    local function is_up()
        local connection = connect()
        return connection ~= nil and connection.is_authenticated
    end
    t:ok(support.eventually(is_up), 'its instance serves')
    local pid = tonumber(supervisor.stdout:match('pid (%d+)'))
    supervisor.handle:signal(popen.signal.SIGKILL)
    t:is(supervisor.handle:wait().signo, 9, 'it is killed')
    ffi.cdef('int kill(int pid, int sig);')
    t:ok(support.eventually(function() return ffi.C.kill(pid, 0) ~= 0 end), 'and the instance ends by itself')
end)

test:test('a supervisor that has ended already', function(t)
    t:plan(2)
    local child = support.spawn({'/bin/sh', '-c', ('true | tarantool %s; echo "exit code $?"'):format(support.instance_file)}, {
        TARANTOOL_EMBEDDED = 'true', TARANTOOL_LISTEN = SOCKET, TARANTOOL_PASSWORD = support.password, DATA_DIR = DATA,
    })
    t:is(child.wait(), 0, 'leaves nothing to do')
    t:is(child.stdout, 'exit code 0\n', 'and nothing is started')
end)

test:test('without embedding', function(t)
    t:plan(3)
    local child = support.spawn_instance({TARANTOOL_EMBEDDED = 'false'})
    t:ok(support.is_ready(child), 'it starts')
    child.handle:shutdown({stdin = true})
    t:is_deeply(connect():call('kv.get', 'k').data[2][2], {n = 1}, 'the end of its standard input means nothing')
    child.handle:signal(popen.signal.SIGTERM)
    t:is(child.wait(), 0, 'SIGTERM ends it')
end)

test:test('its settings', function(t)
    t:plan(1)
    -- Runs the instance file, and shows what has become of the settings that no client sees.
    local wrapper = fio.pathjoin(support.folder, 'wrapper.lua')
    local file = fio.open(wrapper, {'O_CREAT', 'O_WRONLY'}, tonumber('0600', 8))
    file:write(([[
        dofile(%q)
        local names = {
            'memtx_dir', 'wal_dir', 'vinyl_dir', 'wal_mode', 'memtx_memory', 'readahead', 'net_msg_max', 'checkpoint_count',
            'checkpoint_interval',
        }
        for _, name in ipairs(names) do
            print(name .. '=' .. tostring(box.cfg[name]))
        end
        print('reports to the vendor=' .. tostring(box.internal.feedback_daemon ~= nil and box.cfg.feedback_enabled))
        print('reserve=' .. box.space.kv_reserve:len())
        os.exit(0)
    ]]):format(support.instance_file))
    file:close()
    local child = support.spawn({support.tarantool, wrapper}, {
        TARANTOOL_LISTEN = fio.pathjoin(support.folder, 'wrapped.sock'), TARANTOOL_PASSWORD = support.password,
        DATA_DIR = fio.pathjoin(support.folder, 'wrapped'), TARANTOOL_MEMORY = '64', TARANTOOL_WAL_MODE = 'write',
    })
    child.wait()
    local folder = fio.pathjoin(support.folder, 'wrapped')
    t:is(child.stdout:gsub('^kv: ready[^\n]*\n', ''), table.concat({
        'memtx_dir=' .. folder, 'wal_dir=' .. folder, 'vinyl_dir=' .. folder, 'wal_mode=write', 'memtx_memory=67108864',
        'readahead=131072', 'net_msg_max=2048', 'checkpoint_count=2', 'checkpoint_interval=3600', 'reports to the vendor=false',
        'reserve=270', '',
    }, '\n'), 'are in force')
end)

test:test('what it cannot start with', function(t)
    -- A port that is certainly taken, because this test listens on it.
    local server = socket.tcp_server('127.0.0.1', 0, function() end)
    local taken = ('127.0.0.1:%d'):format(server:name().port)
    local file = fio.pathjoin(support.folder, 'file')
    fio.open(file, {'O_CREAT', 'O_WRONLY'}, tonumber('0600', 8)):close()
    local cases = {
        {{TARANTOOL_WAL_MODE = 'none'}, 'kv: TARANTOOL_WAL_MODE is "none", but takes fsync or write'},
        {{TARANTOOL_MEMORY = 'lots'}, 'kv: TARANTOOL_MEMORY is "lots", but takes MiB from 64 to 1048576'},
        {{TARANTOOL_USER = 'other', TARANTOOL_PASSWORD = ''}, 'kv: TARANTOOL_PASSWORD is not set, but takes the password for ' ..
            'the user "other", who does not exist yet'},
        {{TARANTOOL_LISTEN = taken}, ('kv: cannot listen on %s: Address already in use'):format(taken)},
        {{DATA_DIR = file .. '/data'}, ('kv: DATA_DIR is "%s/data", but takes a folder that is there or can be made'):format(file)},
    }
    t:plan(#cases * 2)
    for _, case in ipairs(cases) do
        local child = support.spawn_instance(case[1])
        t:is(child.wait(), 1, 'exit code')
        t:is((last_line(child) or ''):sub(1, #case[2]), case[2], 'reason')
    end
    server:close()
end)

test:test('tarantoolctl', function(t)
    if os.execute('command -v tarantoolctl >/dev/null') ~= 0 then
        t:plan(0)
        return
    end
    t:plan(4)
    local root = fio.pathjoin(support.folder, 'ctl')
    fio.mktree(fio.pathjoin(root, 'instances.enabled'))
    fio.symlink(support.instance_file, fio.pathjoin(root, 'instances.enabled/kv.lua'))
    local config = fio.open(fio.pathjoin(root, '.tarantoolctl'), {'O_CREAT', 'O_WRONLY'}, tonumber('0600', 8))
    config:write(([[
        default_cfg = {pid_file = '%s', wal_dir = '%s', memtx_dir = '%s', vinyl_dir = '%s', log = '%s'}
        instance_dir = '%s/instances.enabled'
    ]]):format(root, root, root, root, root, root))
    config:close()
    local function control(command)
        return support.spawn({'/bin/sh', '-c', ('cd %s && exec tarantoolctl %s kv'):format(root, command)}, {
            TARANTOOL_LISTEN = SOCKET, TARANTOOL_PASSWORD = support.password, PWD = root, USER = os.getenv('USER') or 'root',
        })
    end
    t:is(control('start').wait(), 0, 'starts it by a link')
    t:ok(support.eventually(function() return connect() end), 'it listens')
    t:is_deeply(connect():call('kv.get', 'state').data, {0, {'state', {status = 'ok'}, 1}}, 'and serves')
    control('stop').wait()
    t:ok(support.eventually(function() return not connect() end), 'and stops it')
end)

support.finish(test)
