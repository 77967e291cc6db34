local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local client = require('client')
local crypto = require('crypto')
local digest = require('digest')
local fio = require('fio')
local msgpack = require('msgpack')
local tap = require('tap')

local USER, PASSWORD = 'api_user', support.password
local SOCKET = fio.pathjoin(support.folder, 'kv.sock')
local ONE = msgpack.encode({n = 1})

support.start_here({listen = 'unix/:' .. SOCKET})
require('kv.schema').apply()
local access = require('kv.access')
local entries = require('kv.entries')
rawset(_G, 'kv', {
    insert = entries.insert, get = entries.get, update = entries.update, delete = entries.delete,
    upsert = entries.upsert, touch = entries.touch, list = require('kv.listing').list, txn = require('kv.txn').run,
    remove = require('kv.removal').step,
    changes = require('kv.changes').read,
    prove = require('kv.proof').prove,
})
rawset(_G, 'tokens', require('kv.tokens'))
rawset(_G, 'throttle', require('kv.throttle'))
rawset(_G, 'health', require('kv.health'))
rawset(_G, 'kv_secret', function() return 'secret' end)

local function connect(user, password)
    return client.connect('unix/', SOCKET, user, password)
end

local test = tap.test('access')
test:plan(12)

test:test('a user to be made', function(t)
    t:plan(2)
    local result, problem = access.apply(USER, nil)
    t:is(result, nil, 'takes a password')
    t:like(problem, '^TARANTOOL_PASSWORD is not set', 'and the sentence says so')
end)

-- Rights that others may have left behind.
box.schema.user.create(USER, {password = 'old'})
box.schema.user.grant(USER, 'read,write,execute', 'universe')
box.schema.user.grant(USER, 'read,write', 'space', 'kv')
box.schema.user.grant(USER, 'super')
box.schema.func.create('kv.retired', {setuid = true})
box.schema.func.drop('kv.insert')
box.schema.func.create('kv.insert', {setuid = false})
box.schema.func.create('throttle.retired')
box.schema.func.create('health.retired')
box.schema.func.create('tokens.retired')
box.schema.func.create('other.function')
box.schema.user.grant(USER, 'execute', 'function', 'kv.retired')
box.schema.user.grant(USER, 'execute', 'function', 'other.function')
access.apply(USER, PASSWORD)

test:test('the functions', function(t)
    t:plan(12)
    local user = connect(USER, PASSWORD)
    local NULL = msgpack.NULL
    t:ok(user.is_authenticated, 'the user can log in')
    t:is_deeply(user:call('kv.insert', 'k', ONE).data, {0, 2, NULL}, 'kv.insert')
    t:is_deeply(user:call('kv.get', 'k').data, {0, {'k', {n = 1}, 2}}, 'kv.get')
    t:is_deeply(user:call('kv.update', 'k', ONE, NULL, {2}).data, {0, 3, NULL}, 'kv.update')
    t:is_deeply(user:call('kv.upsert', 'k', ONE, NULL, NULL, true).data, {3, 3}, 'kv.upsert')
    t:is_deeply(user:call('kv.touch', 'k', NULL).data, {0, 3, NULL}, 'kv.touch')
    t:is_deeply(user:call('kv.list', {prefix = 'k', start = NULL}).data, {0, {{'k', {n = 1}, 3}}, NULL}, 'kv.list')
    t:is_deeply(user:call('kv.list').data, {0, {{'k', {n = 1}, 3}, {'state', {status = 'ok'}, 1}}, NULL}, 'and without options')
    t:is_deeply(user:call('kv.txn', NULL, {{'get', 'k'}, {'upsert', 'l', ONE}, {'delete', 'l'}}, NULL).data,
        {0, 5, 1, {{0, {'k', {n = 1}, 3}}, {0, 5, NULL, true}, {0, 5, NULL, false}}}, 'kv.txn')
    t:is_deeply(user:call('kv.delete', 'k').data, {0, 6}, 'kv.delete')
    t:is_deeply(user:call('throttle.take', 'client', 10, 1000, 4).data, {4, 6, 1000}, 'throttle.take')
    t:is_deeply(user:call('health.check').data, {0}, 'health.check')
end)

test:test('the proof of the store', function(t)
    t:plan(10)
    local function expected(password, nonce)
        local kept = digest.sha1(digest.sha1(password))
        return crypto.hmac.sha256_hex(kept, 'tarantool-kv: proof of the store: ' .. nonce)
    end
    local user = connect(USER, PASSWORD)
    t:is_deeply(user:call('kv.prove', 'nonce').data, {expected(PASSWORD, 'nonce')}, 'is by what it keeps of the password')
    t:is_deeply(user:call('kv.prove', 'other').data, {expected(PASSWORD, 'other')}, 'and for this nonce only')
    t:is_deeply(user:call('kv.prove', ('n'):rep(128)).data, {expected(PASSWORD, ('n'):rep(128))}, 'a long one as well')
    t:is(user:call('kv.prove', ('n'):rep(129)).code, box.error.ILLEGAL_PARAMS, 'which has a bound')
    t:is(user:call('kv.prove', '').code, box.error.ILLEGAL_PARAMS, 'may not be empty')
    t:is_deeply(user:call('kv.prove', 'n').data, {expected(PASSWORD, 'n')}, 'and may be short')
    t:is(user:call('kv.prove').code, box.error.ILLEGAL_PARAMS, 'and has to be there')
    box.schema.user.create('without_password', {if_not_exists = true})
    local session_user = box.session.user
    box.session.user = function() return 'without_password' end
    local ok, problem = pcall(require('kv.proof').prove, 'nonce')
    box.session.user = session_user
    t:ok(not ok and problem.code == box.error.ILLEGAL_PARAMS, 'for a user without a password there is none')
    box.schema.user.drop('without_password')
    box.schema.user.passwd(USER, 'another')
    t:is_deeply(user:call('kv.prove', 'nonce').data, {expected('another', 'nonce')}, 'a new password counts at once')
    box.schema.user.passwd(USER, PASSWORD)
    t:is(client.connect('unix/', SOCKET):call('kv.prove', 'nonce').code, box.error.ACCESS_DENIED, 'a guest gets none')
end)

local function is_denied(answer)
    return answer.code == box.error.ACCESS_DENIED
end

test:test('anything else', function(t)
    local user = connect(USER, PASSWORD)
    local calls = {'kv_secret', 'LUA', 'box.schema.user.info', 'os.exit', 'kv.retired', 'other.function', 'LENGTH'}
    local spaces = {'kv', '_user', '_vuser', '_vspace', '_collation', '_schema', '_truncate'}
    t:plan(2 + #calls + 2 * #spaces)
    for _, name in ipairs(calls) do
        local answer = user:call(name, 'return 1')
        t:ok(answer.error ~= nil and answer.data == nil, 'call ' .. name)
    end
    t:ok(is_denied(user:eval('return 1')), 'eval')
    for _, name in ipairs(spaces) do
        t:ok(is_denied(user:select(box.space[name].id)), 'select from ' .. name)
        t:ok(user:insert(box.space[name].id, {'k', {}}).error ~= nil, 'insert into ' .. name)
    end
    t:is(box.space.kv:get('k'), nil, 'nothing was written')
end)

test:test('a guest', function(t)
    t:plan(4)
    local guest = connect()
    t:ok(is_denied(guest:call('kv.get', 'k')), 'may not call')
    t:ok(is_denied(guest:call('LUA', 'return 1')), 'nor run code by the function LUA')
    t:ok(is_denied(guest:eval('return 1')), 'nor eval')
    t:ok(is_denied(guest:select(box.space._vspace.id)), 'nor select')
end)

test:test('others who log in', function(t)
    t:plan(2)
    box.schema.user.create('somebody', {password = PASSWORD})
    local somebody = connect('somebody', PASSWORD)
    t:ok(is_denied(somebody:call('LUA', 'return 1')), 'may not run code by the function LUA, which the role public may at first')
    t:ok(is_denied(somebody:call('kv.get', 'k')), 'nor call ours')
    box.schema.user.drop('somebody')
end)

test:test('the grants', function(t)
    t:plan(3)
    local grants = {}
    for _, grant in ipairs(box.schema.user.info(USER)) do
        table.insert(grants, table.concat(grant, ' ', 1, 3))
    end
    local wanted = {'session,usage universe '}
    for _, name in ipairs(access.functions) do
        table.insert(wanted, 'execute function ' .. name)
    end
    table.sort(grants)
    table.sort(wanted)
    t:is_deeply(grants, wanted, 'are those and no more')
    t:is_deeply(box.schema.user.info('guest'), {}, 'of a guest: none')
    local left = {}
    for _, name in ipairs({'kv.retired', 'throttle.retired', 'health.retired', 'tokens.retired', 'other.function'}) do
        table.insert(left, box.space._func.index.name:get(name) and name or nil)
    end
    t:is_deeply(left, {'other.function'}, 'retired functions of ours are gone, and no others')
end)

test:test('a second run', function(t)
    t:plan(2)
    local lsn = box.info.lsn
    t:is(access.apply(USER, PASSWORD), true, 'succeeds')
    t:is(box.info.lsn, lsn, 'and writes nothing, not even the password')
end)

test:test('the password', function(t)
    t:plan(4)
    t:ok(not connect(USER, 'old').is_authenticated, 'was changed from the old one')
    access.apply(USER, 'new')
    t:ok(connect(USER, 'new').is_authenticated, 'changes with the environment')
    t:is(access.apply(USER, nil), true, 'need not be given once the user has one')
    t:ok(connect(USER, 'new').is_authenticated, 'and then stays')
end)

test:test('a user who owns something', function(t)
    t:plan(2)
    local log = require('log')
    local warn, lines = log.warn, {}
    log.warn = function(format, ...) table.insert(lines, format:format(...)) end
    access.apply(USER, nil)
    t:is_deeply(lines, {}, 'is not warned of without cause')
    box.schema.space.create('of_the_user', {user = USER})
    access.apply(USER, nil)
    log.warn = warn
    t:is_deeply(lines, {('access: the user "%s" owns "of_the_user", and can do with it what it likes'):format(USER)}, 'is told of')
    box.space.of_the_user:drop()
end)

test:test('a user without a password', function(t)
    t:plan(2)
    box.schema.user.create('bare')
    local result, problem = access.apply('bare', nil)
    t:is(result, nil, 'takes one')
    t:like(problem, '^TARANTOOL_PASSWORD is not set, .* "bare", who has none$', 'and the sentence says so')
    box.schema.user.drop('bare')
end)

test:test('a role in place of the user', function(t)
    t:plan(1)
    box.schema.role.create('some_role')
    local _, problem = access.apply('some_role', PASSWORD)
    t:like(problem, '^TARANTOOL_USER is "some_role"', 'is refused')
end)

support.finish(test)
