local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local tap = require('tap')

support.start_here()
local schema = require('kv.schema')

local test = tap.test('schema')
test:plan(8)

local function drop_all()
    for _, name in ipairs({'kv', 'kv_health', 'kv_expiry', 'kv_revision', 'kv_changes', 'kv_retries', 'kv_tokens'}) do
        if box.space[name] ~= nil then
            box.space[name]:drop()
        end
    end
    box.space._schema:delete('kv_schema')
end

test:test('a fresh store', function(t)
    t:plan(6)
    t:is(schema.version(), 0, 'has version 0')
    t:is(schema.apply(), true, 'is brought up to date')
    t:is(schema.version(), schema.VERSION, 'which is recorded')
    local format = box.space.kv:format()
    t:is_deeply({format[1], format[2]}, {{name = 'key', type = 'string'}, {name = 'value', type = 'map'}}, 'begins as promised')
    local primary = box.space.kv.index.primary
    t:is(primary.type .. ' ' .. primary.parts[1].fieldno, 'HASH 1', 'has a hash index of the key')
    t:is_deeply(box.space.kv:get('state'):totable(), {'state', {status = 'ok'}, 1}, 'and the entry state')
end)

test:test('a second run', function(t)
    t:plan(2)
    local vclock = box.info.lsn
    t:is(schema.apply(), true, 'succeeds')
    t:is(box.info.lsn, vclock, 'and writes nothing')
end)

test:test('the entry state', function(t)
    t:plan(1)
    box.space.kv:delete('state')
    schema.apply()
    t:is(box.space.kv:get('state'), nil, 'does not come back once it was deleted')
end)

test:test('answers of repeatable writes, and tokens', function(t)
    t:plan(3)
    drop_all()
    schema.apply(4)
    local retry = {'client', 'key', 1, 'fingerprint', {0, 7}}
    box.space.kv_retries:insert(retry)
    schema.apply()
    t:is_deeply(box.space.kv_retries:get({'client', 'key'}):totable(), retry, 'survive the next step')
    local token = {'id', 'hash', 'definition'}
    box.space.kv_tokens:insert(token)
    box.space._schema:replace({'kv_schema', 3})
    schema.apply()
    t:is_deeply(box.space.kv_retries:get({'client', 'key'}):totable(), retry, 'and steps that are repeated')
    t:is_deeply(box.space.kv_tokens:get('id'):totable(), token)
end)

test:test('a step that was interrupted', function(t)
    t:plan(8 * 3)
    local real_create_index = box.schema.index.create
    -- `made` is how many indexes exist when the step breaks off. Then the whole step runs again.
    for made = 0, 7 do
        drop_all()
        local left = made
        rawset(box.schema.index, 'create', function(...)
            if left == 0 then
                error('interrupted')
            end
            left = left - 1
            return real_create_index(...)
        end)
        t:ok(not pcall(schema.apply), ('breaks off after %d indexes'):format(made))
        rawset(box.schema.index, 'create', real_create_index)
        t:is(schema.apply(), true, 'is made whole by the next run')
        t:ok(box.space.kv:get('state') ~= nil, 'with the entry state')
    end
end)

test:test('a step that fails at its end', function(t)
    t:plan(3)
    drop_all()
    local row = require('kv.row')
    local real_new = row.new
    row.new = function() error('failed') end
    t:like(select(2, pcall(schema.apply)), 'failed', 'is a failure')
    row.new = real_new
    t:is(schema.version(), 0, 'and not recorded')
    t:is(schema.apply(), true, 'is made by the next run')
end)

test:test('entries from before the first step', function(t)
    t:plan(3)
    drop_all()
    local space = box.schema.space.create('kv', {format = {{name = 'key', type = 'string'}, {name = 'value', type = 'map'}}})
    space:create_index('primary', {type = 'hash', parts = {'key'}})
    space:insert({'mine', {n = 1}})
    t:is(schema.apply(), true, 'are taken over')
    t:is(space:get('mine').value.n, 1, 'as they are')
    t:is(space:get('state'), nil, 'and nothing is added')
end)

test:test('data of a later version', function(t)
    t:plan(2)
    box.space._schema:replace({'kv_schema', schema.VERSION + 1})
    local result, problem = schema.apply()
    t:is(result, nil, 'is refused')
    t:like(problem, 'schema version ' .. schema.VERSION + 1, 'by a sentence that names the version')
end)

support.finish(test)
