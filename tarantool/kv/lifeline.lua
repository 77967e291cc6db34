-- Ends the process when its supervisor ends in whatever way, SIGKILL included. Standard input is a pipe whose other
-- end the supervisor holds. The system closes that end with the supervisor, and a fiber here notices. No fiber runs
-- while data is loaded, which takes minutes for a large store. Therefore on Linux the system also ends this process
-- by SIGKILL (prctl(2), PR_SET_PDEATHSIG).
local ffi = require('ffi')
local errno = require('errno')
local fiber = require('fiber')
local socket = require('socket')

local STDIN = 0
-- iowait with a number returns a number, which is 0 after a timeout.
local READABLE = 1
local CHUNK_BYTES = 512
local PR_SET_PDEATHSIG = 1
local SIGKILL = 9

-- Tarantool's own modules may have declared them already.
for _, declaration in ipairs({'ssize_t read(int fd, void *buf, size_t count);', 'int prctl(int option, ...);'}) do
    pcall(ffi.cdef, declaration)
end

local lifeline = {}

local function watch()
    fiber.name('lifeline')
    local chunk = ffi.new('char[?]', CHUNK_BYTES)
    while true do
        -- Bytes that arrive are read and ignored.
        if socket.iowait(STDIN, READABLE) ~= 0 then
            local count = ffi.C.read(STDIN, chunk, CHUNK_BYTES)
            if count == 0 or (count < 0 and errno() ~= errno.EAGAIN and errno() ~= errno.EINTR) then
                -- Every acknowledged write is in the log, so there is nothing to wait for.
                os.exit(0)
            end
        end
    end
end

function lifeline.hold()
    if jit.os == 'Linux' then
        ffi.C.prctl(PR_SET_PDEATHSIG, ffi.cast('unsigned long', SIGKILL))
    end
    -- If the supervisor died before the call to prctl, its end of the pipe is closed already.
    if socket.iowait(STDIN, READABLE, 0) ~= 0 then
        os.exit(0)
    end
    fiber.create(watch)
end

return lifeline
