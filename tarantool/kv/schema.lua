-- The schema in numbered steps. Each is idempotent, also where it was interrupted halfway, and carries data forward. A step
-- that has been released is never changed: add another.
local log = require('log')
local msgpack = require('msgpack')
local row = require('kv.row')

local RECORD = 'kv_schema'

-- Positions in box.space._schema.
local VERSION = 2

local STATE = msgpack.encode({status = 'ok'})

local schema = {}

local function is_fresh()
    return box.space._schema:get(RECORD) == nil
end

-- Commits what the step has to do exactly once together with the record of the step.
local function record(version, once)
    box.begin()
    local ok, problem = pcall(function()
        if once ~= nil then
            once()
        end
        box.space._schema:replace({RECORD, version})
    end)
    if not ok then
        box.rollback()
        error(problem, 0)
    end
    box.commit()
end

local steps = {}

steps[1] = function()
    -- Later steps append fields here, nullable ones.
    local kv = box.schema.space.create('kv', {if_not_exists = true})
    kv:format({
        {name = 'key', type = 'string'},
        {name = 'value', type = 'map'},
    })
    kv:create_index('primary', {type = 'hash', parts = {{field = 'key'}}, if_not_exists = true})

    -- health.check writes here. Local: a probe is about this instance, and no replica needs to see it.
    local health = box.schema.space.create('kv_health', {is_local = true, if_not_exists = true})
    health:format({
        {name = 'id', type = 'unsigned'},
        {name = 'probed_at', type = 'number'},
    })
    health:create_index('primary', {parts = {{field = 'id'}}, if_not_exists = true})

    return function()
        -- A store with entries from before it had versioned steps is adopted as it is.
        if kv:len() == 0 then
            kv:insert(row.new('state', STATE))
        end
    end
end

schema.VERSION = #steps

-- Returns the version that the data has; 0 before the first step.
function schema.version()
    return is_fresh() and 0 or box.space._schema:get(RECORD)[VERSION]
end

-- Applies what is missing. Returns true, or nil and a sentence where the data is newer than this code.
function schema.apply()
    local version = schema.version()
    if version > schema.VERSION then
        return nil, ('the data has schema version %d, and this code knows none above %d'):format(version, schema.VERSION)
    end
    for step = version + 1, schema.VERSION do
        record(step, steps[step]())
        log.info('schema version %d applied', step)
    end
    return true
end

return schema
