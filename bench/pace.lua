-- Put behind traffic.lua: sends at a constant rate, whatever the answers do. wrk runs a thread for each connection, so that what is
-- global here belongs to one connection.
--   P.rate      requests a second, of all connections together
--   P.settle    seconds before latencies count
-- A latency counts from when its request was due, also where the connection was still waiting for the answer before: a stall
-- shows in every request that it delayed. wrk's timer is true to a ms; how late it alone is, is no latency of the server.
local ffi = require('ffi')
ffi.cdef([[
    typedef struct { long s; long ns; } kv_time;
    int clock_gettime(int clock, kv_time *time);
    void *calloc(size_t count, size_t size);
]])

local CLOCK_MONOTONIC = 1
-- Buckets of 10 µs up to 0.1 s, then of 1 ms up to 10 s. Each thread writes to a row of its own, and the first one adds them up.
local FINE_US, FINE = 10, 10000
local COARSE_US, COARSE = 1000, 10000
local BUCKETS = FINE + COARSE

local function bucket_of(us)
    if us < FINE * FINE_US then
        return math.floor(us / FINE_US)
    end
    return FINE + math.min(COARSE - 1, math.floor(us / COARSE_US))
end

local function middle_ms(bucket)
    if bucket < FINE then
        return (bucket + 0.5) * FINE_US / 1000
    end
    return (bucket - FINE + 0.5) * COARSE_US / 1000
end

local time = ffi.new('kv_time')
local function now()
    ffi.C.clock_gettime(CLOCK_MONOTONIC, time)
    return tonumber(time.s) * 1e6 + tonumber(time.ns) / 1e3
end

local rows = {}
local set_id = setup
function setup(thread)
    set_id(thread)
    local row = ffi.C.calloc(BUCKETS, 4)
    rows[#rows + 1] = ffi.cast('uint32_t *', row)
    thread:set('row_address', tonumber(ffi.cast('uintptr_t', row)))
end

local row, period, started, due, is_late, counts_from
local sent = 0
local prepare = init
function init()
    prepare()
    row = ffi.cast('uint32_t *', row_address)
    period = P.connections / P.rate * 1e6
end

function delay()
    if not started then
        -- The connections take turns within a period.
        started = now() + period * thread_id / P.connections
    end
    due = started + sent * period
    sent = sent + 1
    local wait = due - now()
    is_late = wait < 0
    return is_late and 0 or math.floor(wait / 1000 + 0.5)
end

local make = request
function request()
    counts_from = is_late and due or now()
    return make()
end

function response()
    local at = now()
    if at - started < P.settle * 1e6 then
        return
    end
    local bucket = bucket_of(at - counts_from)
    row[bucket] = row[bucket] + 1
end

local function percentiles(wanted)
    local total = 0
    local counts = {}
    for _, counted in ipairs(rows) do
        for bucket = 0, BUCKETS - 1 do
            if counted[bucket] > 0 then
                counts[bucket] = (counts[bucket] or 0) + counted[bucket]
                total = total + counted[bucket]
            end
        end
    end
    local buckets = {}
    for bucket in pairs(counts) do
        buckets[#buckets + 1] = bucket
    end
    table.sort(buckets)
    local found, seen, i = {}, 0, 0
    for n, percent in ipairs(wanted) do
        while i < #buckets and seen < total * percent / 100 do
            i = i + 1
            seen = seen + counts[buckets[i]]
        end
        found[n] = middle_ms(buckets[i] or 0)
    end
    return found, total
end

function done(summary)
    local found, total = percentiles({50, 99, 99.9})
    local errors = summary.errors
    io.write(('{"requests":%d,"us":%d,"p50":%f,"p99":%f,"p999":%f,"counted":%d,"refused":%d,"broken":%d}\n'):format(
        summary.requests, summary.duration, found[1], found[2], found[3], total,
        errors.status, errors.connect + errors.read + errors.write + errors.timeout
    ))
end
