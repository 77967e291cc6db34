-- Checks the files that a start is about to read, because Tarantool accepts some that it should refuse. It begins an
-- empty store beside logs whose snapshot is missing, and ignores records that are missing at the end of a log that
-- other logs follow.
local fio = require('fio')
local log_file = require('kv.log_file')

local HELP = 'see "Damaged files" in docs/operations.md'

local files = {}

-- A file's name is the number of the last change before it, in 20 digits.
local function by_number(folder, extension)
    local paths = fio.glob(fio.pathjoin(folder, '*.' .. extension))
    table.sort(paths)
    return paths
end

local function number(path)
    return fio.basename(path):match('^%d+')
end

local function refuse(problem, ...)
    error({problem = ('%s; %s'):format(problem:format(...), HELP)})
end

local function check_blocks(file)
    if file.state == 'damaged' then
        refuse('%s is damaged from byte %d of %d on', file.path, file.sound_bytes, file.bytes)
    end
    return file
end

local function covers(vclock, other)
    for id, lsn in pairs(other) do
        if (vclock[id] or 0) < lsn then
            return false
        end
    end
    return true
end

-- Checks that `later` was begun right behind `earlier`, and that the changes in `earlier` reach that far.
local function check_succession(earlier, later)
    local follows = later.prev_vclock
    if follows ~= nil and not (covers(follows, earlier.vclock) and covers(earlier.vclock, follows)) then
        refuse('a file is missing between %s and %s', earlier.path, later.path)
    elseif earlier.state ~= 'closed' and not covers(log_file.end_of(earlier), later.vclock) then
        refuse('%s ends before %s begins: it was cut at byte %d', earlier.path, later.path, earlier.bytes)
    end
end

-- The logs with changes that the snapshot does not hold: from the last log on that was begun before the snapshot.
local function logs_behind(snapshot, logs)
    local first = 1
    for i = 2, #logs do
        if number(logs[i]) <= number(snapshot) then
            first = i
        end
    end
    return {unpack(logs, first)}
end

local function check(folder)
    local snapshots, logs = by_number(folder, 'snap'), by_number(folder, 'xlog')
    local newest = snapshots[#snapshots]
    if newest == nil then
        if #logs > 0 then
            refuse('%s has logs, but no snapshot that they begin at', folder)
        end
        return nil
    end
    if check_blocks(log_file.read(newest)).state ~= 'closed' then
        refuse('%s is not whole', newest)
    end
    logs = logs_behind(newest, logs)
    if logs[1] ~= nil and number(logs[1]) > number(newest) then
        refuse('a file is missing between %s and %s', newest, logs[1])
    end
    local last
    for _, path in ipairs(logs) do
        local log = check_blocks(log_file.read(path))
        if last ~= nil then
            check_succession(last, log)
        end
        last = log
    end
    if last ~= nil and last.state == 'cut' then
        return ('%s was cut within a write: it ends at byte %d, and what follows is left out'):format(last.path, last.sound_bytes)
    end
end

-- Returns true, and a sentence where the start leaves something out; or nil and a sentence that says why the start is
-- refused.
function files.check(folder)
    local ok, result = pcall(check, folder)
    if ok then
        return true, result
    elseif type(result) == 'table' then
        return nil, result.problem
    end
    return nil, result
end

return files
