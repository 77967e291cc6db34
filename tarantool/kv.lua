#!/usr/bin/env tarantool
-- The instance file. It calls box.cfg with settings from the environment, and then loads the modules in kv/. The
-- service spawns this file as its embedded Tarantool, instances.enabled links to it for tarantoolctl, and `tarantool
-- kv.lua` runs it under Tarantool 3.
local errno = require('errno')
local fiber = require('fiber')
local fio = require('fio')
local log = require('log')

-- The modules lie beside the file itself, not beside a link to it.
local function own_folder()
    local path = fio.abspath(debug.getinfo(1, 'S').source:sub(2))
    local target = fio.readlink(path)
    while target ~= nil do
        path = target:sub(1, 1) == '/' and target or fio.pathjoin(fio.dirname(path), target)
        target = fio.readlink(path)
    end
    return fio.dirname(path)
end

-- package.path would not do: Tarantool looks into the working directory first.
package.setsearchroot(own_folder())

-- Ends the process with a last line that names the problem. The supervisor shows it as the reason.
local function fail(problem)
    io.stderr:write('kv: ', tostring(problem), '\n')
    os.exit(1)
end

local function must(result, problem)
    if not result then
        fail(problem)
    end
    return result, problem
end

-- Only the owner may read the files, whoever starts the process.
fio.umask(tonumber('0077', 8))

local settings = must(require('kv.settings').read(os.getenv))

if settings.is_embedded then
    require('kv.lifeline').hold()
end

local options = {
    log_level = settings.log_level,

    wal_mode = settings.wal_mode,
    -- Log files are small, so that those which a checkpoint has replaced can be removed soon.
    wal_max_size = 64 * 1024 * 1024,
    -- A start reads the last checkpoint and the log after it. A checkpoint each hour or each GiB of log bounds how
    -- long that takes. The checkpoint before the last is kept, in case the last one is damaged.
    checkpoint_interval = 3600,
    checkpoint_wal_threshold = 1024 * 1024 * 1024,
    checkpoint_count = 2,

    memtx_memory = settings.memory_bytes,
    -- This is an upper bound that reserves no memory. Every value that the service accepts must fit.
    memtx_max_tuple_size = settings.max_tuple_bytes,

    -- The service sends many small requests over few connections, so more bytes are read at a time,
    readahead = 128 * 1024,
    -- and more requests may wait for the disk together, because the log is written in groups.
    net_msg_max = 2048,
}

-- Settings that are not given here keep the values of the launcher (tarantoolctl, tt) or Tarantool's defaults.
if settings.data_dir ~= nil then
    must(require('kv.data_dir').prepare(settings.data_dir))
    local _, warning = must(require('kv.files').check(settings.data_dir))
    if warning ~= nil then
        io.stderr:write('kv: warning: ', warning, '\n')
    end
    options.memtx_dir = settings.data_dir
    options.wal_dir = settings.data_dir
    options.vinyl_dir = settings.data_dir
end

-- Builds that have this daemon send reports to the vendor over the Internet.
if box.internal.feedback_daemon ~= nil then
    options.feedback_enabled = false
end

must(pcall(box.cfg, options))

local entries = require('kv.entries')
rawset(_G, 'kv', {
    insert = entries.insert, get = entries.get, update = entries.update, delete = entries.delete,
    upsert = entries.upsert, touch = entries.touch, list = require('kv.listing').list, txn = require('kv.txn').run,
    remove = require('kv.removal').step, changes = require('kv.changes').read, prove = require('kv.proof').prove,
    find_retry = require('kv.retries').find, stats = require('kv.stats').read,
})
local tokens = require('kv.tokens')
rawset(_G, 'tokens', {read = tokens.read, create = tokens.create, delete = tokens.delete})
rawset(_G, 'throttle', {take = require('kv.throttle').take})
rawset(_G, 'health', {check = require('kv.health').check})

local function prepare()
    must(require('kv.schema').apply())
    must(require('kv.access').apply(settings.user, settings.password))
    require('kv.reserve').start()
    require('kv.changes').start(settings.changes_bytes)
    require('kv.retries').start(settings.retries_bytes, settings.retries_ttl_s)
end

if box.info.ro then
    -- A replica receives all this from its master. It does it itself only if it becomes a master.
    fiber.create(function()
        box.ctl.wait_rw()
        prepare()
    end)
else
    local ok, problem = pcall(prepare)
    must(ok, problem)
end

require('kv.expiry').start()

-- Listening comes last: a client that can connect can call.
local ok, problem = pcall(box.cfg, {listen = settings.listen})
if not ok then
    -- The message of 2.6 lacks the reason. For a name that does not resolve, errno is left over from an earlier call.
    local code = type(problem) == 'cdata' and not tostring(problem):find('resolve') and problem.errno
    fail(('cannot listen on %s: %s'):format(settings.listen, code and errno.strerror(code) or problem))
end

log.info('ready')
print(('kv: ready, Tarantool %s listens on %s'):format(box.info.version, settings.listen))
io.stdout:flush()
