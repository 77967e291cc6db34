-- Ends the process when its supervisor dies, however that dies, SIGKILL included. The system closes the supervisor's end of a pipe,
-- of which ours is standard input. That is seen by a fiber, and so not while data is loaded, which takes minutes where there is
-- much. On Linux the system also ends us by SIGKILL (prctl(2), PR_SET_PDEATHSIG).
local ffi = require('ffi')
local errno = require('errno')
local fiber = require('fiber')
local socket = require('socket')

local STDIN = 0
-- By a number iowait answers by a number: 0 where time is up.
local READABLE = 1
local CHUNK_BYTES = 512
local PR_SET_PDEATHSIG = 1
local SIGKILL = 9

-- Tarantool's own modules may have declared them.
for _, declaration in ipairs({'ssize_t read(int fd, void *buf, size_t count);', 'int prctl(int option, ...);'}) do
    pcall(ffi.cdef, declaration)
end

local lifeline = {}

local function watch()
    fiber.name('lifeline')
    local chunk = ffi.new('char[?]', CHUNK_BYTES)
    while true do
        -- Whatever is written to it is read and means nothing.
        if socket.iowait(STDIN, READABLE) ~= 0 then
            local count = ffi.C.read(STDIN, chunk, CHUNK_BYTES)
            if count == 0 or (count < 0 and errno() ~= errno.EAGAIN and errno() ~= errno.EINTR) then
                -- What has been acknowledged is in the log; nothing is left to wait for.
                os.exit(0)
            end
        end
    end
end

function lifeline.hold()
    if jit.os == 'Linux' then
        ffi.C.prctl(PR_SET_PDEATHSIG, ffi.cast('unsigned long', SIGKILL))
    end
    -- What died before that closed the pipe before that.
    if socket.iowait(STDIN, READABLE, 0) ~= 0 then
        os.exit(0)
    end
    fiber.create(watch)
end

return lifeline
