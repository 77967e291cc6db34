#!/usr/bin/env tarantool
-- The instance file: box.cfg from the environment, then the modules in kv/. The same file is spawned by the service (embedded),
-- linked into instances.enabled for tarantoolctl, and run by `tarantool kv.lua` under Tarantool 3.
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

-- Not by package.path: Tarantool looks into the working directory before that.
package.setsearchroot(own_folder())

-- One line, the last one: the supervisor shows it as the reason.
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

-- Files are for their owner only, whoever starts us.
fio.umask(tonumber('0077', 8))

local settings = must(require('kv.settings').read(os.getenv))

if settings.is_embedded then
    require('kv.lifeline').hold()
end

local options = {
    log_level = settings.log_level,

    wal_mode = settings.wal_mode,
    -- Small log files, so that those which a checkpoint made superfluous are gone soon.
    wal_max_size = 64 * 1024 * 1024,
    -- A start reads the last checkpoint and the log since: each hour, or each GiB of log, bounds how long that takes. The one
    -- before is kept, in case the last is damaged.
    checkpoint_interval = 3600,
    checkpoint_wal_threshold = 1024 * 1024 * 1024,
    checkpoint_count = 2,

    memtx_memory = settings.memory_bytes,
    -- A bound, and nothing is set aside for it: what the service accepts must fit.
    memtx_max_tuple_size = settings.max_tuple_bytes,

    -- The service pipelines many small requests over few connections: read more of them at a time,
    readahead = 128 * 1024,
    -- and let more of them wait for the disk together, because the log is written in groups.
    net_msg_max = 2048,
}

-- What is not given here stays with whoever started us (tarantoolctl, tt) and with Tarantool's defaults.
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

-- Reports to the vendor over the Internet, in builds that have it.
if box.internal.feedback_daemon ~= nil then
    options.feedback_enabled = false
end

must(pcall(box.cfg, options))

local entries = require('kv.entries')
rawset(_G, 'kv', {
    insert = entries.insert, get = entries.get, update = entries.update, delete = entries.delete,
    upsert = entries.upsert, touch = entries.touch, list = require('kv.listing').list, txn = require('kv.txn').run,
    prove = require('kv.proof').prove,
})
rawset(_G, 'throttle', {take = require('kv.throttle').take})
rawset(_G, 'health', {check = require('kv.health').check})

local function prepare()
    must(require('kv.schema').apply())
    must(require('kv.access').apply(settings.user, settings.password))
    require('kv.reserve').start()
end

if box.info.ro then
    -- A replica gets all this from its master, and does it itself if it becomes one.
    fiber.create(function()
        box.ctl.wait_rw()
        prepare()
    end)
else
    local ok, problem = pcall(prepare)
    must(ok, problem)
end

require('kv.expiry').start()

-- Only now: who can connect can call.
local ok, problem = pcall(box.cfg, {listen = settings.listen})
if not ok then
    -- The message of 2.6 lacks the reason. A name that does not resolve has no errno, but shows a stale one.
    local code = type(problem) == 'cdata' and not tostring(problem):find('resolve') and problem.errno
    fail(('cannot listen on %s: %s'):format(settings.listen, code and errno.strerror(code) or problem))
end

log.info('ready')
print(('kv: ready, Tarantool %s listens on %s'):format(box.info.version, settings.listen))
io.stdout:flush()
