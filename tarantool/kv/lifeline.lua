-- Ends the process when its standard input ends: that is the far end of a pipe in our supervisor, which the system closes
-- however the supervisor dies, SIGKILL included.
local ffi = require('ffi')
local errno = require('errno')
local fiber = require('fiber')
local socket = require('socket')

local STDIN = 0
local CHUNK_BYTES = 512

pcall(ffi.cdef, 'ssize_t read(int fd, void *buf, size_t count);')

local lifeline = {}

local function watch()
    fiber.name('lifeline')
    local chunk = ffi.new('char[?]', CHUNK_BYTES)
    while true do
        -- Whatever is written to it is read and means nothing.
        if socket.iowait(STDIN, 'R') ~= 0 then
            local count = ffi.C.read(STDIN, chunk, CHUNK_BYTES)
            if count == 0 or (count < 0 and errno() ~= errno.EAGAIN and errno() ~= errno.EINTR) then
                -- What has been acknowledged is in the log; nothing is left to wait for.
                os.exit(0)
            end
        end
    end
end

function lifeline.hold()
    fiber.create(watch)
end

return lifeline
