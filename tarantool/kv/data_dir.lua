-- The folder of the instance's files.
local ffi = require('ffi')
local fio = require('fio')

local O_RDONLY = 0
-- flock(2)
local LOCK_EX, LOCK_NB = 2, 4

local OWNER_ONLY = tonumber('0700', 8)

-- Tarantool's own modules declare some of them.
for _, declaration in ipairs({'int flock(int fd, int operation);', 'int open(const char *path, int flags, ...);',
                              'int close(int fd);'}) do
    pcall(ffi.cdef, declaration)
end

local data_dir = {}

-- box.cfg takes the same lock, but where that fails it ends the process with a line of its own.
local function is_locked(path)
    local fd = ffi.C.open(path, O_RDONLY)
    if fd < 0 then
        return false
    end
    local locked = ffi.C.flock(fd, LOCK_EX + LOCK_NB) ~= 0
    ffi.C.close(fd)
    return locked
end

-- Makes it where it is missing. Returns true, or nil and a sentence.
function data_dir.prepare(path)
    if not fio.path.is_dir(path) then
        local made, problem = fio.mktree(path, OWNER_ONLY)
        if not made then
            return nil, ('DATA_DIR is "%s", but takes a folder that is there or can be made: %s'):format(path, problem)
        end
    end
    if is_locked(path) then
        return nil, ('data directory "%s" is in use by another instance'):format(path)
    end
    return true
end

return data_dir
