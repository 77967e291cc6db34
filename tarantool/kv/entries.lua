-- The entries: each function decides and writes in one transaction and returns an outcome. What it throws is not an outcome
-- but a failure (read-only, disk full, malformed bytes), and then nothing was written.
local inflight = require('kv.inflight')
local outcome = require('kv.outcome')
local row = require('kv.row')

local entries = {}

local function must_be_absent(tuple)
    return tuple == nil and outcome.OK or outcome.EXISTS
end

local function must_be_present(tuple)
    return tuple ~= nil and outcome.OK or outcome.NOT_FOUND
end

-- Returns the verdict of judge(tuple) on the present entry, and that entry. OK may be acted on at once. Anything else is an
-- answer, so it has to hold for durable data as well: until the two agree it waits, and judges again.
local function decide(key, judge)
    local deadline
    while true do
        local tuple = box.space.kv:get(key)
        local verdict = judge(tuple)
        local write = inflight.of(key)
        if verdict == outcome.OK or write == nil or judge(write.durable) == verdict then
            return verdict, tuple
        end
        deadline = deadline or inflight.deadline()
        inflight.wait(write, deadline)
    end
end

local function insert(new)
    box.space.kv:insert(new)
end

local function replace(new)
    box.space.kv:replace(new)
end

local function delete(key)
    box.space.kv:delete(key)
end

-- `value` is a string: the MessagePack of a map, stored as it is.
function entries.insert(key, value)
    local new = row.new(key, value)
    local verdict, present = decide(key, must_be_absent)
    if verdict == outcome.OK then
        inflight.run(key, present, insert, new)
    end
    return verdict
end

function entries.update(key, value)
    local new = row.new(key, value)
    local verdict, present = decide(key, must_be_present)
    if verdict == outcome.OK then
        inflight.run(key, present, replace, new)
    end
    return verdict
end

function entries.delete(key)
    local verdict, present = decide(key, must_be_present)
    if verdict == outcome.OK then
        inflight.run(key, present, delete, key)
    end
    return verdict
end

-- Returns OK and the tuple as it is, never decoded.
function entries.get(key)
    local write = inflight.of(key)
    local tuple
    if write == nil then
        tuple = box.space.kv:get(key)
    else
        tuple = write.durable
    end
    if tuple == nil then
        return outcome.NOT_FOUND
    end
    return outcome.OK, tuple
end

return entries
