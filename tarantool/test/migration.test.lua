local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local client = require('client')
local fio = require('fio')
local msgpack = require('msgpack')
local tap = require('tap')

-- Files of the version that had no versions of entries: entries in a snapshot and in the log behind it.
local FIXTURE = fio.pathjoin(here, 'fixtures/schema-1')
for _, file in ipairs(fio.listdir(FIXTURE)) do
    fio.copyfile(fio.pathjoin(FIXTURE, file), fio.pathjoin(support.folder, file))
end

local EXPECTED = {
    {'', '\x80'}, {'in the log 1', msgpack.encode({n = 1})}, {'in the log 2', msgpack.encode({n = 2})},
    {'in the log 3', msgpack.encode({n = 3})}, {'in the snapshot 1', msgpack.encode({n = 10})},
    {'in the snapshot 3', msgpack.encode({n = 3})}, {'order', '\x84\xa1z\x01\xa1a\x02\xa1m\x80\xa1b\x90'},
    {'state', msgpack.encode({status = 'ok'})}, {'\xc3\xa9', '\x80'},
}

local test = tap.test('migration')
test:plan(4)

support.start_here()
local schema = require('kv.schema')

local function is_as_expected(t, message)
    local listed = {}
    for i, tuple in ipairs(box.space.kv.index.ordered:select()) do
        local key = msgpack.encode(tuple.key)
        listed[i] = {tuple.key, msgpack.encode(tuple):sub(2 + #key, -2)}
        if tuple.version ~= 1 or #tuple ~= 3 then
            t:fail('the version of ' .. tuple.key)
        end
    end
    t:is_deeply(listed, EXPECTED, message)
end

test:test('files of the version before', function(t)
    t:plan(2)
    t:is(schema.version(), 1, 'have schema version 1')
    t:is(box.space.kv:len(), #EXPECTED, 'and the entries')
end)

test:test('a migration that breaks off', function(t)
    local BREAKS = {
        {box.schema.index, 'create'}, {box, 'atomic'}, {box.schema.space, 'create'}, {box, 'begin'},
    }
    t:plan(#BREAKS * 2)
    for i, place in ipairs(BREAKS) do
        local object, name = place[1], place[2]
        local real = object[name]
        rawset(object, name, function()
            error('interrupted')
        end)
        t:ok(not pcall(schema.apply), ('in place %d'):format(i))
        rawset(object, name, real)
        t:is(schema.version(), 1, 'is not done')
    end
end)

-- Holds version.of-old-entries.
test:test('the next run', function(t)
    t:plan(5)
    t:is(schema.apply(), true, 'completes it')
    is_as_expected(t, 'with each entry byte for byte, and a version')
    local format = box.space.kv:format()
    t:is_deeply({format[3].name, format[3].is_nullable, format[4].name, format[4].is_nullable},
        {'version', false, 'expires_at', true}, 'which none can lack any more')
    local entries = require('kv.entries')
    t:is_deeply({entries.update('order', '\x80', nil, {1})}, {0, 2}, 'revisions go on above')
    t:is_deeply({entries.insert('new', '\x80', 10)}, {0, 3, (select(2, entries.get('new'))).expires_at}, 'and entries may expire')
end)

test:test('many entries, by an instance', function(t)
    t:plan(4)
    -- More entries than one portion of the migration.
    local COUNT = 2500
    local old = fio.pathjoin(support.folder, 'old')
    fio.mktree(old)
    local maker = fio.pathjoin(support.folder, 'make.lua')
    local file = fio.open(maker, {'O_CREAT', 'O_WRONLY'}, tonumber('0600', 8))
    file:write(([[
        package.setsearchroot(%q)
        box.cfg({memtx_dir = %q, wal_dir = %q, vinyl_dir = %q, log_level = 0})
        local schema = require('kv.schema')
        schema.apply(1)
        for i = 1, %d do
            box.space.kv:insert({('key %%05d'):format(i), {n = i}})
        end
        os.exit(#box.space.kv:get('state') == 2 and 0 or 1)
    ]]):format(fio.dirname(here), old, old, old, COUNT))
    file:close()
    t:is(support.spawn({support.tarantool, maker}, {}).wait(), 0, 'of the first step alone')
    local child = support.spawn_instance({DATA_DIR = old})
    t:ok(support.is_ready(child), 'start it')
    local user = client.connect('unix/', fio.pathjoin(support.folder, 'kv.sock'), 'api_user', support.password)
    t:is_deeply(user:call('kv.get', 'key 02500').data, {0, {'key 02500', {n = 2500}, 1}}, 'are carried forward')
    t:is(#user:call('kv.list', {prefix = 'key ', after = 'key 01600', limit = 1000, keys_only = true}).data[2], 900, 'all of them')
    child.handle:shutdown({stdin = true})
    child.wait()
end)

support.finish(test)
