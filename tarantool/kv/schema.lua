-- The schema, in numbered steps. Each step can be repeated, also after it was interrupted halfway, and migrates
-- existing data. A step that has been released is never changed. Add another one instead.
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

-- Commits the record of the step in one transaction with what the step must do exactly once.
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
    -- Later steps append nullable fields here.
    local kv = box.schema.space.create('kv', {if_not_exists = true})
    kv:format({
        {name = 'key', type = 'string'},
        {name = 'value', type = 'map'},
    })
    kv:create_index('primary', {type = 'hash', parts = {{field = 'key'}}, if_not_exists = true})

    -- health.check writes here. The space is local: a probe is about this instance, and no replica needs to see it.
    local health = box.schema.space.create('kv_health', {is_local = true, if_not_exists = true})
    health:format({
        {name = 'id', type = 'unsigned'},
        {name = 'probed_at', type = 'number'},
    })
    health:create_index('primary', {parts = {{field = 'id'}}, if_not_exists = true})

    return function()
        -- A store whose entries are older than the versioned steps is adopted as it is.
        if kv:len() == 0 then
            kv:insert(row.new('state', STATE))
        end
    end
end

-- The version of entries from before there were versions. The revisions that are given begin above it.
local FIRST_VERSION = 1
local MIGRATED_AT_ONCE = 1000

-- Commits in portions. The values are not decoded, and keep their bytes.
local function migrate_entries(kv)
    local last = ''
    local iterator = 'GE'
    while true do
        local tuples = kv.index.ordered:select(last, {iterator = iterator, limit = MIGRATED_AT_ONCE})
        if #tuples == 0 then
            break
        end
        box.atomic(function()
            for _, tuple in ipairs(tuples) do
                if #tuple < row.VERSION then
                    kv:replace(tuple:update({{'=', row.VERSION, FIRST_VERSION}}))
                end
            end
        end)
        last, iterator = tuples[#tuples][row.KEY], 'GT'
    end
end

local function format_of_entries(is_migrated)
    return {
        {name = 'key', type = 'string'},
        {name = 'value', type = 'map'},
        {name = 'version', type = 'unsigned', is_nullable = not is_migrated},
        {name = 'expires_at', type = 'unsigned', is_nullable = true},
    }
end

-- Adds versions, expiry times, and the order of keys.
steps[2] = function()
    local kv = box.space.kv
    kv:format(format_of_entries(false))
    -- The index has no collation, so it compares bytes.
    kv:create_index('ordered', {type = 'tree', unique = true, parts = {{field = 'key'}}, if_not_exists = true})
    migrate_entries(kv)
    kv:format(format_of_entries(true))

    -- The entries that expire, the first to expire first. kv/store.lua keeps them.
    local expiry = box.schema.space.create('kv_expiry', {if_not_exists = true})
    expiry:format({
        {name = 'expires_at', type = 'unsigned'},
        {name = 'key', type = 'string'},
    })
    expiry:create_index('primary', {parts = {{field = 'expires_at'}, {field = 'key'}}, if_not_exists = true})

    -- One row: the number up to which revisions are reserved in blocks. See kv/revision.lua.
    local revision = box.schema.space.create('kv_revision', {if_not_exists = true})
    revision:format({
        {name = 'id', type = 'unsigned'},
        {name = 'reserved', type = 'unsigned'},
    })
    revision:create_index('primary', {parts = {{field = 'id'}}, if_not_exists = true})

    return function()
        revision:replace({1, FIRST_VERSION})
    end
end

-- Adds the log of changes. See kv/changes.lua.
steps[3] = function()
    local changes = box.schema.space.create('kv_changes', {if_not_exists = true})
    changes:format({
        {name = 'revision', type = 'unsigned'},
        {name = 'n', type = 'unsigned'},
        {name = 'what', type = 'unsigned'},
        {name = 'entry', type = 'array'},
    })
    changes:create_index('primary', {parts = {{field = 'revision'}, {field = 'n'}}, if_not_exists = true})
end

-- Adds the answers of writes that can be repeated. See kv/retries.lua.
steps[4] = function()
    local retries = box.schema.space.create('kv_retries', {if_not_exists = true})
    retries:format({
        {name = 'client', type = 'string'},
        {name = 'key', type = 'string'},
        {name = 'at', type = 'unsigned'},
        {name = 'fingerprint', type = 'string'},
        {name = 'answer', type = 'array'},
    })
    retries:create_index('primary', {parts = {{field = 'client'}, {field = 'key'}}, if_not_exists = true})
    -- The oldest first, because they are removed first.
    retries:create_index('age', {
        parts = {{field = 'at'}, {field = 'client'}, {field = 'key'}}, if_not_exists = true,
    })
end

-- Adds the tokens. See kv/tokens.lua.
steps[5] = function()
    local tokens = box.schema.space.create('kv_tokens', {if_not_exists = true})
    tokens:format({
        {name = 'id', type = 'string'},
        {name = 'hash', type = 'string'},
        {name = 'definition', type = 'string'},
        {name = 'expires_at', type = 'unsigned', is_nullable = true},
    })
    tokens:create_index('primary', {parts = {{field = 'id'}}, if_not_exists = true})
end

schema.VERSION = #steps

-- Returns the version of the data, 0 before the first step.
function schema.version()
    return is_fresh() and 0 or box.space._schema:get(RECORD)[VERSION]
end

-- Applies the missing steps, up to the step `target` or all. Returns true, or nil and a sentence where the data is
-- newer than this code.
function schema.apply(target)
    local version = schema.version()
    if version > schema.VERSION then
        return nil, ('the data has schema version %d, and this code knows none above %d'):format(version, schema.VERSION)
    end
    for step = version + 1, target or schema.VERSION do
        record(step, steps[step]())
        log.info('schema version %d applied', step)
    end
    return true
end

return schema
