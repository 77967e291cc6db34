-- The folder of the instance's files.
local bit = require('bit')
local errno = require('errno')
local ffi = require('ffi')
local fio = require('fio')

local O_RDONLY = 0
-- flock(2)
local LOCK_EX, LOCK_NB = 2, 4

local OWNER_ONLY, OWNER_FILE, OTHERS = tonumber('0700', 8), tonumber('0600', 8), tonumber('0077', 8)

-- The files that Tarantool makes.
local EXTENSIONS = {snap = true, xlog = true, vylog = true}
local OF_THE_FILE_SYSTEM = 'lost+found'

-- Tarantool's own modules may have declared some of them already.
for _, declaration in ipairs({'int flock(int fd, int operation);', 'int open(const char *path, int flags, ...);',
                              'int close(int fd);'}) do
    pcall(ffi.cdef, declaration)
end

local data_dir = {}

-- box.cfg takes the same lock. But when it fails, it ends the process with a message of its own. Returns nil and a
-- sentence where the folder cannot be read.
local function is_locked(path)
    local fd = ffi.C.open(path, O_RDONLY)
    if fd < 0 then
        return nil, errno.strerror()
    end
    local locked = ffi.C.flock(fd, LOCK_EX + LOCK_NB) ~= 0
    ffi.C.close(fd)
    return locked
end

local function refusal(path, takes, ...)
    return nil, ('DATA_DIR is "%s", but takes %s'):format(path, takes:format(...))
end

local function is_ours(name)
    local extension = name:gsub('%.inprogress$', ''):match('^%d+%.(%l+)$')
    return EXTENSIONS[extension] == true
end

-- A folder that holds other files is used by other programs as well.
local function foreign_file(path)
    for _, name in ipairs(fio.listdir(path)) do
        if not is_ours(name) and name ~= OF_THE_FILE_SYSTEM then
            return name
        end
    end
end

local function is_private(path)
    local stat = fio.stat(path)
    return stat ~= nil and bit.band(stat.mode, OTHERS) == 0
end

-- The files hold the values of all clients, so the permission of others to read them is removed.
local function make_private(path)
    if not is_private(path) then
        local foreign = foreign_file(path)
        if foreign ~= nil then
            return refusal(path, 'a folder of its own: others may read this one, and there is "%s" in it', foreign)
        end
        local done, problem = fio.chmod(path, OWNER_ONLY)
        if not done then
            return refusal(path, 'a folder that nobody else can read, or that can be made so: %s', problem)
        end
    end
    for _, name in ipairs(fio.listdir(path)) do
        local file = fio.pathjoin(path, name)
        if is_ours(name) and not is_private(file) then
            fio.chmod(file, OWNER_FILE)
        end
    end
    return true
end

-- Removes a snapshot or log that was left unfinished by a kill. Tarantool would not make a new one of that name
-- beside it.
local function remove_unfinished(path)
    for _, file in ipairs(fio.glob(fio.pathjoin(path, '*.inprogress'))) do
        fio.unlink(file)
    end
end

-- Makes the folder where it is missing, and private where it is not. Returns true, or nil and a sentence.
function data_dir.prepare(path)
    if not fio.path.is_dir(path) then
        local made, problem = fio.mktree(path, OWNER_ONLY)
        if not made then
            return refusal(path, 'a folder that is there or can be made: %s', problem)
        end
    end
    local locked, cause = is_locked(path)
    if locked == nil then
        return refusal(path, 'a folder that can be read: %s', cause)
    elseif locked then
        return nil, ('data directory "%s" is in use by another instance'):format(path)
    end
    local done, problem = make_private(path)
    if not done then
        return nil, problem
    end
    remove_unfinished(path)
    return true
end

return data_dir
