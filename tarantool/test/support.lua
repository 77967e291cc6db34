-- Shared by the tests. Each test file runs by itself, in a temporary folder of its own:
-- tarantool tarantool/test/entries.test.lua
local fiber = require('fiber')
local fio = require('fio')
local popen = require('popen')

local here = fio.dirname(fio.abspath(debug.getinfo(1, 'S').source:sub(2)))

local support = {
    tarantool = fio.readlink('/proc/self/exe'),
    instance_file = fio.pathjoin(fio.dirname(here), 'kv.lua'),
    folder = fio.tempdir(),
    password = 'a password of the tests',
}
package.setsearchroot(fio.dirname(here))

local children = {}

-- Starts an instance in this process, with what the modules need and without a port.
function support.start_here(options)
    local all = {memtx_dir = support.folder, wal_dir = support.folder, vinyl_dir = support.folder}
    -- Errors are expected here. To see why a test file broke off: LOG_LEVEL=2.
    all.log_level = tonumber(os.getenv('LOG_LEVEL') or 0)
    for name, value in pairs(options or {}) do
        all[name] = value
    end
    box.cfg(all)
end

-- Polls, because another process cannot wake a fiber of this one.
function support.eventually(condition, seconds)
    local deadline = fiber.clock() + (seconds or 20)
    repeat
        local result = condition()
        if result then
            return result
        end
        fiber.sleep(0.01)
    until fiber.clock() > deadline
    return false
end

-- Starts an operation, and returns while its log record is on its way to the disk. fiber.create runs up to the first
-- yield.
function support.begin(operation, ...)
    local running = {}
    running.fiber = fiber.create(function(...)
        fiber.self():set_joinable(true)
        local results = {pcall(operation, ...)}
        running.done, running.ok, running.result = true, results[1], results[2]
        running.results = {unpack(results, 2, table.maxn(results))}
    end, ...)
    return running
end

function support.join(running)
    if not running.done then
        running.fiber:join()
    end
    return running
end

-- Runs run(1), run(2) and so on at the same time. Returns when all have ended.
function support.all_at_once(count, run)
    local fibers = {}
    for i = 1, count do
        fibers[i] = fiber.new(run, i)
        fibers[i]:set_joinable(true)
    end
    for i = 1, count do
        fibers[i]:join()
    end
end

local function collect(child, stream)
    fiber.create(function()
        while true do
            local ok, text = pcall(child.handle.read, child.handle, {[stream] = true})
            if not ok or text == nil or text == '' then
                break
            end
            child[stream] = child[stream] .. text
        end
        child[stream .. '_ended'] = true
    end)
end

-- Runs a program, given by its full path, with exactly this environment and PATH. Its output is gathered in `stdout`
-- and `stderr`.
function support.spawn(argv, env)
    env.PATH = os.getenv('PATH')
    local child = {stdout = '', stderr = ''}
    child.handle = assert(popen.new(argv, {
        stdin = popen.opts.PIPE, stdout = popen.opts.PIPE, stderr = popen.opts.PIPE, env = env,
    }))
    child.pid = child.handle.pid
    collect(child, 'stdout')
    collect(child, 'stderr')
    table.insert(children, child)

    -- Returns the exit code, or the negative number of the signal.
    function child.wait()
        support.eventually(function()
            return child.handle.status.state ~= popen.state.ALIVE and child.stdout_ended and child.stderr_ended
        end)
        local status = child.handle.status
        return status.exit_code or (status.signo and -status.signo)
    end
    return child
end

-- Runs the instance file as the service does. `env` adds to a working environment, and '' removes a variable.
function support.spawn_instance(env)
    local all = {
        TARANTOOL_EMBEDDED = 'true',
        TARANTOOL_LISTEN = fio.pathjoin(support.folder, 'kv.sock'),
        TARANTOOL_PASSWORD = support.password,
        DATA_DIR = fio.pathjoin(support.folder, 'data'),
    }
    for name, value in pairs(env or {}) do
        all[name] = value
    end
    return support.spawn({support.tarantool, support.instance_file}, all)
end

function support.is_ready(child)
    return support.eventually(function()
        return child.stdout:match('kv: ready[^\n]*\n') or (child.stdout_ended and 'ended')
    end) ~= 'ended' and child.stdout:match('kv: ready') ~= nil
end

function support.finish(test)
    local passed = test:check()
    for _, child in ipairs(children) do
        pcall(child.handle.close, child.handle)
    end
    fio.rmtree(support.folder)
    os.exit(passed and 0 or 1)
end

return support
