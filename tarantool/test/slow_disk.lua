-- A disk that is as slow as the test needs. It stops the thread of a child process that writes the log, as a debugger
-- would, while the other threads go on.
local errno = require('errno')
local ffi = require('ffi')
local fio = require('fio')

ffi.cdef('long ptrace(long request, int pid, void *address, void *data);')

-- sys/ptrace.h
local PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207

local slow_disk = {}

local function read(path)
    local file = fio.open(path, {'O_RDONLY'})
    local text = file and file:read(4096)
    if file ~= nil then
        file:close()
    end
    return text or ''
end

local function log_thread(pid)
    for _, task in ipairs(fio.listdir(('/proc/%d/task'):format(pid))) do
        if read(('/proc/%d/task/%s/comm'):format(pid, task)):match('^wal') then
            return tonumber(task)
        end
    end
    error('no thread writes the log')
end

-- Returns a function that lets the thread go on; or nil and the reason, where the system does not allow tracing.
function slow_disk.hold(pid)
    local thread = log_thread(pid)
    if ffi.C.ptrace(PTRACE_SEIZE, thread, nil, nil) ~= 0 then
        return nil, errno.strerror()
    end
    ffi.C.ptrace(PTRACE_INTERRUPT, thread, nil, nil)
    return function()
        return ffi.C.ptrace(PTRACE_DETACH, thread, nil, nil) == 0
    end
end

return slow_disk
