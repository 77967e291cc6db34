-- How a start treats the files that it finds. Damaged ones are refused, with the way out that docs/operations.md
-- describes.
local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local client = require('client')
local fiber = require('fiber')
local fio = require('fio')
local msgpack = require('msgpack')
local popen = require('popen')
local tap = require('tap')

local SOUND = fio.pathjoin(support.folder, 'sound')
local DATA = fio.pathjoin(support.folder, 'data')
local ENTRIES = 60
local HELP = '; see "Damaged files" in docs/operations.md'
-- FILES_KILLS=100 makes a longer run.
local KILLS = tonumber(os.getenv('FILES_KILLS') or 4)

local function octal(digits)
    return tonumber(digits, 8)
end

local function write(path, text, flags)
    local file = fio.open(path, {'O_CREAT', 'O_WRONLY', unpack(flags or {})}, octal('0600'))
    file:write(text)
    file:close()
end

-- Two snapshots and several logs. The last log has no end mark, as after a kill.
local function make_sound()
    fio.mktree(SOUND)
    local maker = fio.pathjoin(support.folder, 'make.lua')
    write(maker, ([[
        package.setsearchroot(%q)
        box.cfg({memtx_dir = %q, wal_dir = %q, wal_max_size = 2000, log_level = 0})
        require('kv.schema').apply()
        local entries, value = require('kv.entries'), require('msgpack').encode({text = ('x'):rep(30)})
        for i = 1, %d do
            entries.insert('key ' .. i, value)
            if i == 10 then
                box.snapshot()
            end
        end
        require('ffi').cdef('int raise(int signal);')
        require('ffi').C.raise(9)
    ]]):format(fio.dirname(here), SOUND, SOUND, ENTRIES))
    return support.spawn({support.tarantool, maker}, {}).wait()
end

local function files(extension, folder)
    local paths = fio.glob(fio.pathjoin(folder or DATA, '*.' .. extension))
    table.sort(paths)
    return paths
end

local function fresh()
    fio.rmtree(DATA)
    fio.copytree(SOUND, DATA)
    fio.chmod(DATA, octal('0700'))
    return files('snap'), files('xlog')
end

local function size(path)
    return fio.stat(path).size
end

local function cut(path, bytes)
    fio.truncate(path, bytes)
end

local function flip(path, at)
    local file = fio.open(path, {'O_RDWR'})
    local byte = file:pread(1, at):byte()
    file:pwrite(string.char((byte + 1) % 256), at)
    file:close()
end

local function stop(child)
    child.handle:shutdown({stdin = true})
    child.wait()
end

-- Returns how many of the entries are there, or nil and the reason why the start failed; and the warning, if there
-- was one.
local function start()
    local child = support.spawn_instance()
    if not support.is_ready(child) then
        child.wait()
        return nil, (child.stderr:match('kv: ([^\n]+)\n$') or child.stderr)
    end
    local user = client.connect('unix/', fio.pathjoin(support.folder, 'kv.sock'), 'api_user', support.password)
    local count = #user:call('kv.list', {prefix = 'key ', limit = 1000, keys_only = true}).data[2]
    user:close()
    stop(child)
    return count, child.stderr:match('kv: warning: ([^\n]+)\n')
end

local test = tap.test('files')
test:plan(11)

test:test('sound files', function(t)
    t:plan(4)
    t:is(make_sound(), -9, 'of a store that was killed')
    local snapshots, logs = fresh()
    t:ok(#snapshots == 2 and #logs > 3, 'are several')
    t:is_deeply({start()}, {ENTRIES}, 'are read, without a word')
    t:is_deeply({start()}, {ENTRIES}, 'and again')
end)

-- Holds lost.cut-log, damage.cut-log.
test:test('a log that was cut', function(t)
    t:plan(5)
    local _, logs = fresh()
    local last = logs[#logs]
    cut(last, size(last) - 10)
    local count, warning = start()
    t:is(count, ENTRIES - 1, 'in its last write loses that')
    t:like(warning, 'was cut within a write: it ends at byte %d+, and what follows is left out$', 'and it is said')
    t:is_deeply({start()}, {ENTRIES - 1}, 'once')

    _, logs = fresh()
    local path = logs[#logs - 2]
    cut(path, size(path) - 300)
    t:is_deeply({start()}, {nil, ('%s ends before %s begins: it was cut at byte %d%s'):format(
        path, logs[#logs - 1], size(path), HELP)}, 'with others behind it is refused')
    for i = #logs - 1, #logs do
        fio.unlink(logs[i])
    end
    count = start()
    t:ok(count > 20 and count < ENTRIES - 10, 'and read when those are moved away')
end)

-- By case: what is done to the snapshots and logs, the expected message and the file that it names, the way out, and
-- what that leaves.
local CASES = {
    ['zero bytes behind the last log'] = {
        function(_, logs)
            local last, bytes = logs[#logs], size(logs[#logs])
            write(last, ('\0'):rep(4096), {'O_APPEND'})
            return ('%s is damaged from byte %d of %d on'):format(last, bytes, bytes + 4096)
        end,
        function(problem) cut(problem:match('^%S+'), tonumber(problem:match('from byte (%d+)'))) end, ENTRIES,
    },
    ['an empty last log'] = {
        function(_, logs)
            local last = logs[#logs]:gsub('%d+%.xlog', ('%020d.xlog'):format(1000))
            write(last, '')
            return ('%s is damaged from byte 0 of 0 on'):format(last)
        end,
        function(problem) fio.unlink(problem:match('^%S+')) end, ENTRIES,
    },
    ['a flipped byte in the last log'] = {
        function(_, logs)
            local last = logs[#logs]
            flip(last, size(last) - 10)
            return ('%s is damaged from byte %%d+ of %d on'):format(last, size(last))
        end,
        function(problem) cut(problem:match('^%S+'), tonumber(problem:match('from byte (%d+)'))) end, ENTRIES - 1,
    },
    ['a flipped length in a log'] = {
        function(_, logs)
            local log = logs[#logs - 1]
            local file = fio.open(log, {'O_RDONLY'})
            flip(log, file:read(1000):find('\xd5\xba\x0b\xab', 1, true) + 3)
            file:close()
            return ('%s is damaged from byte %%d+ of %d on'):format(log, size(log))
        end,
        function(problem, logs)
            cut(problem:match('^%S+'), tonumber(problem:match('from byte (%d+)')))
            fio.unlink(logs[#logs])
        end, nil,
    },
    ['a snapshot without its end'] = {
        function(snapshots)
            local newest = snapshots[#snapshots]
            cut(newest, size(newest) - 4)
            return ('%s is not whole'):format(newest)
        end,
        function(problem) fio.unlink(problem:match('^%S+')) end, ENTRIES,
    },
    ['a flipped byte in a snapshot'] = {
        function(snapshots)
            local newest = snapshots[#snapshots]
            flip(newest, 1000)
            return ('%s is damaged from byte %%d+ of %d on'):format(newest, size(newest))
        end,
        function(problem) fio.unlink(problem:match('^%S+')) end, ENTRIES,
    },
    ['logs without a snapshot'] = {
        function(snapshots)
            for _, path in ipairs(snapshots) do
                fio.unlink(path)
            end
            return ('%s has logs, but no snapshot that they begin at'):format(DATA)
        end,
        function()
            for _, path in ipairs(files('snap', SOUND)) do
                fio.copyfile(path, fio.pathjoin(DATA, fio.basename(path)))
            end
        end, ENTRIES,
    },
    ['a log that is missing'] = {
        function(_, logs)
            fio.unlink(logs[#logs - 1])
            return ('a file is missing between %s and %s'):format(logs[#logs - 2], logs[#logs])
        end,
        function(_, logs) fio.unlink(logs[#logs]) end, nil,
    },
    ['the first log behind a snapshot that is missing'] = {
        function(snapshots, logs)
            for _, log in ipairs(logs) do
                if fio.basename(log):sub(1, 20) <= fio.basename(snapshots[2]):sub(1, 20) then
                    fio.unlink(log)
                end
            end
            return ('a file is missing between %s and %s'):format(snapshots[2], files('xlog')[1])
        end,
        function()
            for _, log in ipairs(files('xlog')) do
                fio.unlink(log)
            end
        end, 10,
    },
}

test:test('damage in a log that the snapshot holds', function(t)
    t:plan(2)
    local snapshots, logs = fresh()
    local held = {}
    for _, log in ipairs(logs) do
        if fio.basename(log):sub(1, 20) < fio.basename(snapshots[#snapshots]):sub(1, 20) then
            table.insert(held, log)
        end
    end
    t:ok(#held > 0, 'of which there is one')
    flip(held[#held], size(held[#held]) - 10)
    t:is_deeply({start()}, {ENTRIES}, 'does not matter')
end)

-- Holds damage.no-snapshot, damage.missing-log.
test:test('a succession of files', function(t)
    local END = '\xd5\x10\xad\xed'
    local check = require('kv.files').check
    local function text_of(type, vclock, previous)
        local line = previous and ('PrevVClock: {%s}\n'):format(previous) or ''
        return ('%s\n0.13\nVClock: {%s}\n%s\n%s'):format(type, vclock, line, END)
    end
    local folder = fio.pathjoin(support.folder, 'succession')
    local SNAP_0, SNAP_5 = {'SNAP', 0, ''}, {'SNAP', 5, '1: 5'}
    local function path_of(file)
        return fio.pathjoin(folder, ('%020d.%s'):format(file[2], file[1]:lower()))
    end
    local function missing(earlier, later)
        return ('a file is missing between %s and %s'):format(path_of(earlier), path_of(later))
    end
    -- Files as {type, number, vclock, previous vclock}, and the problem that there is.
    local LOG_0, LOG_5, LOG_9 = {'XLOG', 0, ''}, {'XLOG', 5, '1: 5', ''}, {'XLOG', 9, '1: 9', '1: 5'}
    local AFTER_ONE, OTHER_ID = {'XLOG', 5, '1: 5', '1: 1'}, {'XLOG', 9, '1: 9', '1: 5, 2: 1'}
    local cases = {
        {'none', {}, nil},
        {'a snapshot', {SNAP_0}, nil},
        {'logs that follow each other', {SNAP_0, LOG_0, LOG_5, LOG_9}, nil},
        {'logs from the snapshot on', {SNAP_5, LOG_5, LOG_9}, nil},
        {'a gap before the snapshot', {SNAP_5, LOG_0, LOG_5, LOG_9}, nil},
        {'one log without a snapshot', {LOG_0}, folder .. ' has logs, but no snapshot that they begin at'},
        {'a gap behind the snapshot', {SNAP_5, LOG_9}, missing(SNAP_5, LOG_9)},
        {'a gap between logs', {SNAP_0, LOG_0, LOG_9}, missing(LOG_0, LOG_9)},
        {'a gap of one change', {SNAP_0, LOG_0, AFTER_ONE}, missing(LOG_0, AFTER_ONE)},
        {'a gap of one change of another instance', {SNAP_5, LOG_5, OTHER_ID}, missing(LOG_5, OTHER_ID)},
    }
    t:plan(#cases)
    for _, case in ipairs(cases) do
        fio.rmtree(folder)
        fio.mkdir(folder)
        for _, file in ipairs(case[2]) do
            write(path_of(file), text_of(file[1], file[3], file[4]))
        end
        local done, problem = check(folder)
        t:is_deeply({done, problem}, case[3] == nil and {true} or {nil, case[3] .. HELP}, case[1])
    end
end)

-- Holds lost.damage, damage.no-header, damage.last-log, damage.earlier-log, damage.snapshot.
-- Holds damage.no-snapshot, damage.missing-log.
test:test('damage', function(t)
    local count = 0
    for name, case in pairs(CASES) do
        local damage, repair, left = unpack(case, 1, 3)
        local snapshots, logs = fresh()
        local expected = damage(snapshots, logs) .. HELP
        local entries, problem = start()
        -- Among the special characters of Lua patterns, paths have only these.
        local pattern = '^' .. expected:gsub('[-.]', '%%%0') .. '$'
        t:ok(entries == nil and problem:match(pattern), ('%s is refused: %s'):format(name, tostring(problem)))
        repair(problem, logs)
        entries, problem = start()
        t:ok(entries ~= nil and (left == nil and entries < ENTRIES or entries == left), name .. ': has a way out')
        if entries == nil then
            t:diag(problem)
        end
        count = count + 2
    end
    t:plan(count)
end)

test:test('a write that was cut, and looks like many writes', function(t)
    t:plan(3)
    local log_file = require('kv.log_file')
    local path = fio.pathjoin(support.folder, 'cut.xlog')
    local header = 'XLOG\n0.13\nVClock: {}\n\n'
    -- The head of a block of a GiB.
    local head = '\xd5\xba\x0b\xab\xce\x40\x00\x00\x00' .. ('\0'):rep(10)
    for count, state in pairs({[500] = 'cut', [5000] = 'damaged'}) do
        write(path, header .. head .. ('\xd5\xba\x0b\xabxxxx'):rep(count), {'O_TRUNC'})
        local log = log_file.read(path)
        t:is_deeply({log.state, log.sound_bytes}, {state, #header}, ('%d times is %s'):format(count, state))
    end
    -- The head of a block of a MiB, and a wrong checksum.
    local large = '\xd5\xba\x0b\xab\xce\x00\x10\x00\x00' .. ('\0'):rep(10)
    write(path, header .. head .. large:rep(300) .. ('\0'):rep(1024 * 1024), {'O_TRUNC'})
    t:is(log_file.read(path).state, 'damaged', '300 times a MiB is damaged')
end)

-- A block as Tarantool writes it: the magic, the length, the checksum of the block before, its own, padding, and the rows.
local function block(rows, magic)
    local crc = require('digest').crc32.new()
    crc.value = 0
    crc:update(rows)
    local head = magic .. msgpack.encode(#rows) .. msgpack.encode(0) .. msgpack.encode(crc:result())
    return head .. ('\0'):rep(19 - #head) .. rows
end

test:test('the blocks of a file', function(t)
    local log_file = require('kv.log_file')
    local path = fio.pathjoin(support.folder, 'blocks.xlog')
    local HEADER = 'XLOG\n0.13\nVClock: {1: 26, 2: 5}\nPrevVClock: {}\n\n'
    local PLAIN, COMPRESSED, END = '\xd5\xba\x0b\xab', '\xd5\xba\x0b\xba', '\xd5\x10\xad\xed'
    local small, packed = block(('r'):rep(50), PLAIN), block(('p'):rep(60), COMPRESSED)
    local sound = HEADER .. small .. packed
    local function state_of(bytes)
        write(path, bytes, {'O_TRUNC'})
        local log = log_file.read(path)
        return {log.state, log.sound_bytes}
    end
    local flipped = small:sub(1, -2) .. 'x'
    local cases = {
        {'with an end mark', sound .. END, 'closed', #sound + 4},
        {'without one', sound, 'open', #sound},
        {'of which there are none', HEADER, 'open', #HEADER},
        {'with more behind the end mark', sound .. END .. 'x', 'damaged', #sound + 4},
        {'with a wrong checksum', HEADER .. flipped .. small, 'damaged', #HEADER},
        {'with a wrong checksum at the end', sound .. flipped, 'damaged', #sound},
        {'with a foreign magic', sound .. ('x'):rep(40), 'damaged', #sound},
        {'with a length that is none', sound .. PLAIN .. '\xc0' .. ('\0'):rep(40), 'damaged', #sound},
        {
            'with a wrong length and a block behind', HEADER .. small:sub(1, 4) .. '\x7f' .. small:sub(6) .. packed,
            'damaged', #HEADER,
        },
        {'without a header', small, 'damaged', 0},
    }
    local large = HEADER
    for _ = 1, 5 do
        large = large .. block(('l'):rep(700000), PLAIN)
    end
    t:plan(#cases + 5)
    for _, case in ipairs(cases) do
        t:is_deeply(state_of(case[2]), {case[3], case[4]}, case[1])
    end
    t:is_deeply(state_of(large .. END), {'closed', #large + 4}, 'are found in a file that is read in pieces')
    t:is_deeply(state_of(large:sub(1, -2)), {'cut', #HEADER + 4 * 700019}, 'and so is its cut')
    write(path, sound, {'O_TRUNC'})
    local log = log_file.read(path)
    t:is_deeply({log.vclock, log.prev_vclock, log.bytes, log.path}, {{[1] = 26, [2] = 5}, {}, #sound, path}, 'have a header')
    local wrong, torn = {}, {}
    for _, whole in ipairs({small, packed, END}) do
        for bytes = 1, #whole - 1 do
            if state_of(sound .. whole:sub(1, bytes))[1] ~= 'cut' then
                table.insert(wrong, bytes)
            end
        end
        -- What is no start of a block, however little there is of it.
        for bytes = 1, 4 do
            if state_of(sound .. whole:sub(1, bytes - 1) .. 'x')[1] ~= 'damaged' then
                table.insert(torn, bytes)
            end
        end
    end
    t:is_deeply(wrong, {}, 'are cut at whatever byte a crash ends them')
    t:is_deeply(torn, {}, 'and damaged by whatever byte is no part of them')
end)

test:test('a folder that others can read', function(t)
    t:plan(5)
    local _, logs = fresh()
    fio.chmod(DATA, octal('0755'))
    fio.chmod(logs[1], octal('0644'))
    fio.mkdir(fio.pathjoin(DATA, 'lost+found'))
    t:is_deeply({start()}, {ENTRIES}, 'is read')
    t:is(fio.stat(DATA).mode % 512, octal('0700'), 'and made private')
    fio.rmdir(fio.pathjoin(DATA, 'lost+found'))
    local modes = {}
    for _, name in ipairs(fio.listdir(DATA)) do
        modes[fio.stat(fio.pathjoin(DATA, name)).mode % 512] = true
    end
    t:is_deeply(modes, {[octal('0600')] = true}, 'as is each file, old or new')
    fio.chmod(DATA, octal('0755'))
    write(fio.pathjoin(DATA, 'notes.txt'), '')
    t:is_deeply({start()}, {nil, ('DATA_DIR is "%s", but takes a folder of its own: others may read this one, and there is ' ..
        '"notes.txt" in it'):format(DATA)}, 'and where others use it is refused')
    t:is(fio.stat(DATA).mode % 512, octal('0755'), 'and left as it is')
end)

test:test('a kill while a snapshot is written', function(t)
    t:plan(2)
    fio.rmtree(DATA)
    fio.mktree(DATA, octal('0700'))
    write(fio.pathjoin(DATA, ('%020d.snap.inprogress'):format(0)), 'SNAP\n0.13\n')
    t:is_deeply({start()}, {0}, 'of a new store does not keep it from being made')
    t:is_deeply(files('inprogress'), {}, 'and what it left is gone')
end)

test:test('kills of a store that is being made', function(t)
    t:plan(1)
    local failed = {}
    for i = 1, KILLS do
        fio.rmtree(DATA)
        local child = support.spawn_instance()
        support.eventually(function() return fio.path.is_dir(DATA) end)
        fiber.sleep((i * 7 % 60 + 1) / 1000)
        child.handle:signal(popen.signal.SIGKILL)
        child.wait()
        local left = fio.listdir(DATA)
        local entries, problem = start()
        if entries ~= 0 then
            table.insert(failed, {left, problem})
        end
    end
    t:is_deeply(failed, {}, 'leave nothing that the next start trips over')
end)

test:test('a folder for a new store', function(t)
    t:plan(1)
    fio.rmtree(DATA)
    t:is_deeply({start()}, {0}, 'may be missing')
end)

support.finish(test)
