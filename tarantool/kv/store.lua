-- Writes entries. Each write keeps kv_expiry, the expiry times of the entries that have one, up to date in the same
-- transaction.
local inflight = require('kv.inflight')
local reserve = require('kv.reserve')
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

local function apply(change)
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
end

local function apply_all(changes)
    for i = 1, #changes do
        apply(changes[i])
    end
end

local function commit_all(changes)
    box.atomic(apply_all, changes)
end

local function commit(change)
    box.atomic(apply, change)
end

-- By how many bytes the changes make the entries larger.
local function growth(changes)
    local bytes = 0
    for i = 1, #changes do
        local before, after = changes[i].before, changes[i].after
        if before ~= nil then
            bytes = bytes - before:bsize() - END_BYTES
        end
        if after ~= nil then
            bytes = bytes + after:bsize()
        end
    end
    return bytes
end

local function write(key, before, after)
    if row.expires_at(before) ~= row.expires_at(after) then
        inflight.run(key, before, after, commit, {key = key, before = before, after = after})
    elseif after ~= nil then
        inflight.run(key, before, after, put, after)
    else
        inflight.run(key, before, nil, remove, key)
    end
end

local function write_all(changes)
    inflight.run_all(changes, commit_all)
end

-- Turns `before`, the tuple in the space, expired or not, into `after`. nil means no tuple. Nothing may yield between
-- the decision to write and this call. Returns when the write is durable. Throws when it is not, and then nothing was
-- written.
function store.write(key, before, after)
    if not reserve.is_lent() then
        local ok, problem = pcall(write, key, before, after)
        if ok then
            return
        elseif not reserve.is_out_of_memory(problem) then
            error(problem, 0)
        end
    end
    reserve.write(growth({{before = before, after = after}}), write, key, before, after)
end

-- Writes all changes or none: an array of {key, before, after}, with each key once.
function store.write_all(changes)
    reserve.write(growth(changes), write_all, changes)
end

return store
