local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local client = require('client')
local disk = require('disk')
local fiber = require('fiber')
local fio = require('fio')
local msgpack = require('msgpack')
local popen = require('popen')
local tap = require('tap')

support.start_here()
require('kv.schema').apply()
local entries = require('kv.entries')
local outcome = require('kv.outcome')
local revision = require('kv.revision')

local ONE = msgpack.encode({n = 1})
local BLOCK = 100000

local function reserved()
    return box.space.kv_revision:get(1).reserved
end

local function next_version(key)
    local _, version = entries.upsert(key or 'a', ONE)
    return version
end

local test = tap.test('revision')
test:plan(9)

test:test('a block', function(t)
    t:plan(6)
    t:is(revision.is_ready(), false, 'is not there at first')
    t:is(revision.newest(), 1, 'but the newest number is known')
    t:is(next_version(), 2, 'is reserved by the first write')
    t:is(reserved(), 1 + BLOCK, 'for many')
    local lsn = box.info.lsn
    for i = 3, 1000 do
        if next_version() ~= i then
            t:fail('a number is missing')
        end
    end
    t:is(box.info.lsn - lsn, 998, 'counting costs no record of the log')
    t:is(revision.newest(), 1000, 'the newest is known')
end)

test:test('the next block', function(t)
    t:plan(3)
    local last = revision.newest()
    while last < 1 + BLOCK / 2 do
        last = revision.take()
    end
    t:is(reserved(), 1 + BLOCK, 'is not reserved before half of this one is used')
    revision.take()
    support.eventually(function() return reserved() == 1 + 2 * BLOCK end)
    t:is(reserved(), 1 + 2 * BLOCK, 'and then in the background')
    t:is(next_version(), last + 2, 'and numbers go on without a gap')
end)

test:test('a disk that is full', function(t)
    t:plan(5)
    while revision.is_ready() do
        -- Without a yield: the block is used up before another one can be reserved.
        revision.take()
    end
    disk.fill()
    local last = revision.newest()
    t:is(last, 1 + 2 * BLOCK, 'when the block is used up')
    local ok, problem = pcall(entries.upsert, 'a', ONE)
    t:ok(not ok and problem.code == box.error.WAL_IO, 'a write fails')
    t:is(reserved(), last, 'no number is taken that is not reserved')
    t:is(entries.update('none', ONE), outcome.NOT_FOUND, 'what needs none is answered')
    disk.free()
    t:is(next_version(), last + 1, 'and then it goes on')
end)

test:test('a block that is used up', function(t)
    t:plan(4)
    while revision.is_ready() do
        revision.take()
    end
    t:ok(not pcall(revision.take), 'gives no more')
    t:is(require('kv.txn').run(nil, {{'upsert', 'a', ONE}}), outcome.OK, 'a transaction waits for the next')
    t:is(revision.is_ready(BLOCK), false, 'which has fewer left than it has numbers')
    t:is(#box.space.kv_revision:on_replace(), 1, 'and is watched once')
end)

test:test('many at once', function(t)
    t:plan(2)
    while revision.is_ready() do
        revision.take()
    end
    local seen, distinct, before = {}, true, reserved()
    support.all_at_once(200, function(i)
        local version = next_version('many ' .. i)
        distinct = distinct and not seen[version]
        seen[version] = true
    end)
    t:ok(distinct, 'wait for one block together, and get a number each')
    t:is(reserved(), before + BLOCK, 'which is reserved once')
end)

test:test('another instance that reserved', function(t)
    t:plan(2)
    local last = next_version()
    -- As replication does while this instance is not the master.
    box.space.kv_revision:replace({1, reserved() + BLOCK})
    local behind = reserved()
    t:ok(behind > last, 'takes what we had')
    t:is(next_version(), behind + 1, 'we go on behind it')
end)

-- From there on Tarantool gives integers as cdata.
test:test('revisions from 10^14 on', function(t)
    t:plan(3)
    local before = 10 ^ 14 + 100
    box.space.kv_revision:replace({1, before})
    t:is(next_version('far'), before + 1, 'are given')
    t:is(tonumber(reserved()), before + BLOCK, 'and reserved')
    t:is(entries.touch('far', 10), outcome.OK, 'and kept by a touch')
end)

-- Holds version.one-number-that-grows.
test:test('writes that fail', function(t)
    t:plan(2)
    local last = next_version()
    disk.fill()
    support.all_at_once(20, function(i)
        pcall(entries.upsert, 'failing ' .. i, ONE)
    end)
    disk.free()
    local version = next_version()
    t:ok(version > last, 'never bring a number back')
    local _, found = entries.get('a')
    t:is(found.version, version, 'and the next one counts')
end)

-- Holds version.gap-after-restart, version.one-number-that-grows.
test:test('kill -9', function(t)
    t:plan(6)
    local SOCKET = fio.pathjoin(support.folder, 'kv.sock')
    local last, is_above = 0, true
    for round = 1, 3 do
        local child = support.spawn_instance()
        t:ok(support.is_ready(child), ('start %d'):format(round))
        for w = 1, 8 do
            fiber.create(function()
                local user = client.connect('unix/', SOCKET, 'api_user', support.password)
                local of_this = 0
                while true do
                    local answer = user:call('kv.upsert', 'k' .. w, ONE)
                    if answer.data == nil then
                        break
                    end
                    local version = answer.data[2]
                    is_above = is_above and version > of_this
                    of_this = version
                    last = math.max(last, version)
                end
            end)
        end
        local goal = last + 500
        support.eventually(function() return last > goal end)
        child.handle:signal(popen.signal.SIGKILL)
        child.wait()
        local before = last
        child = support.spawn_instance()
        support.is_ready(child)
        local user = client.connect('unix/', SOCKET, 'api_user', support.password)
        local version = user:call('kv.upsert', 'after', ONE).data[2]
        -- Up to eight more numbers were taken by writes that were not acknowledged.
        t:ok(is_above and version > before and version <= before + 8 + 1.5 * BLOCK,
            'numbers are above all that were acknowledged, and not far above')
        last = version
        child.handle:shutdown({stdin = true})
        child.wait()
    end
end)

support.finish(test)
