-- A disk that fails: files of this process cannot grow, so the next record of the log cannot be written (EFBIG).
-- Release builds of Tarantool have no error injection of their own.
local ffi = require('ffi')

ffi.cdef([[
    struct kv_test_rlimit { unsigned long soft, hard; };
    int getrlimit(int resource, struct kv_test_rlimit *limit);
    int setrlimit(int resource, const struct kv_test_rlimit *limit);
]])
pcall(ffi.cdef, 'void (*signal(int number, void (*handler)(int)))(int);')

local RLIMIT_FSIZE = 1
local SIGXFSZ = 25
local SIG_IGN = ffi.cast('void (*)(int)', 1)

local disk = {}

local limit = ffi.new('struct kv_test_rlimit')
ffi.C.signal(SIGXFSZ, SIG_IGN)
ffi.C.getrlimit(RLIMIT_FSIZE, limit)
local unlimited = limit.soft

function disk.fill()
    limit.soft = 1
    assert(ffi.C.setrlimit(RLIMIT_FSIZE, limit) == 0)
end

function disk.free()
    limit.soft = unlimited
    assert(ffi.C.setrlimit(RLIMIT_FSIZE, limit) == 0)
end

return disk
