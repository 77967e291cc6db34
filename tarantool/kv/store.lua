-- Writes entries. Each write keeps kv_expiry, the expiry times of the entries that have one, up to date in the same
-- transaction, and records itself in the log of changes. A write that can be repeated records its answer too.
local changes = require('kv.changes')
local inflight = require('kv.inflight')
local reserve = require('kv.reserve')
local retries = require('kv.retries')
local row = require('kv.row')

-- The bytes of an expiry time. An entry that is given one counts as no larger.
local END_BYTES = 16

local store = {}

local function put(after)
    box.space.kv:replace(after)
end

local function remove(key)
    box.space.kv:delete(key)
end

-- Carries out a change, as number `n` of its revision. Returns the number of the next one.
local function apply(change, n)
    local key, after = change.key, change.after
    local old, new = row.expires_at(change.before), row.expires_at(after)
    if after ~= nil then
        put(after)
    elseif change.before ~= nil then
        remove(key)
    end
    if old ~= new then
        if old ~= nil then
            box.space.kv_expiry:delete({old, key})
        end
        if new ~= nil then
            box.space.kv_expiry:replace({new, key})
        end
    end
    if change.record ~= nil then
        retries.insert(change.record)
    end
    if changes.is_on() then
        return changes.record(change, n)
    end
end

local function apply_all(all)
    local n, revision
    for i = 1, #all do
        local change = all[i]
        n = change.revision == revision and n or 1
        n = apply(change, n)
        revision = change.revision
    end
end

local function commit_all(all)
    box.atomic(apply_all, all)
end

local function commit(change)
    box.atomic(apply, change, 1)
end

-- By how many bytes the changes make the entries and the records of answers larger.
local function growth(all)
    local bytes = 0
    for i = 1, #all do
        local before, after = all[i].before, all[i].after
        if before ~= nil then
            bytes = bytes - before:bsize() - END_BYTES
        end
        if after ~= nil then
            bytes = bytes + after:bsize()
        end
        if all[i].record ~= nil then
            bytes = bytes + all[i].record:bsize()
        end
    end
    return bytes
end

local function write(change)
    local key, before, after = change.key, change.before, change.after
    if changes.is_on() or change.record ~= nil or row.expires_at(before) ~= row.expires_at(after) then
        inflight.run(key, before, after, commit, change)
    elseif after ~= nil then
        inflight.run(key, before, after, put, after)
    else
        inflight.run(key, before, nil, remove, key)
    end
    changes.settled(change.revision)
end

local function write_all(all)
    inflight.run_all(all, commit_all)
    changes.settled(all[#all].revision)
end

-- Carries out a change {key, revision, before, after, live, record}: turns `before`, the tuple in the space, expired
-- or not, into `after`. nil means no tuple. `live` is `before`, or nil where that has expired. `record` is what
-- kv/retries.lua keeps of the write, nil for a write that cannot be repeated. Nothing may yield between the
-- decision to write and this call. Returns when the write is durable. Throws when it is not, and then nothing was
-- written.
function store.write(change)
    if not reserve.is_lent() then
        local ok, problem = pcall(write, change)
        if ok then
            return
        elseif not reserve.is_out_of_memory(problem) then
            error(problem, 0)
        end
    end
    reserve.write(growth({change}), write, change)
end

-- Carries out all changes or none, in this order, with each key once. Their revisions do not fall.
function store.write_all(all)
    reserve.write(growth(all), write_all, all)
end

return store
