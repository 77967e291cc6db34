-- Between the look at an entry and the write that follows from it nothing may yield, or another fiber could write between.
local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local fiber = require('fiber')
local msgpack = require('msgpack')
local tap = require('tap')

support.start_here()
require('kv.schema').apply()
local entries = require('kv.entries')
local outcome = require('kv.outcome')
local revision = require('kv.revision')
local store = require('kv.store')
local txn = require('kv.txn')

local ONE = msgpack.encode({n = 1})

local function switches()
    return fiber.info()[fiber.id()].csw
end

-- Context switches of this fiber: when it looked last, and when it wrote.
local looked, written
local is_ready = revision.is_ready
revision.is_ready = function(...)
    looked = switches()
    return is_ready(...)
end
for _, name in ipairs({'write', 'write_all'}) do
    local original = store[name]
    store[name] = function(...)
        written = switches()
        return original(...)
    end
end

-- By name; each is carried out once with a block of revisions at hand, and the first one without.
local OPERATIONS = {
    {'an insert', function() return entries.insert('a', ONE, 100) end},
    {'an update', function() return entries.update('a', ONE) end},
    {'an upsert', function() return entries.upsert('a', ONE) end},
    {'a touch', function() return entries.touch('a', 10) end},
    {'a deletion', function() return entries.delete('a') end},
    {'a transaction', function() return txn.run(nil, {{'insert', 'a', ONE}, {'insert', 'b', ONE}}) end},
}

local test = tap.test('yields')
test:plan(#OPERATIONS)

for _, operation in ipairs(OPERATIONS) do
    local name, run = unpack(operation)
    test:test(name, function(t)
        t:plan(3)
        looked, written = nil, nil
        local before = switches()
        t:is(run(), outcome.OK, 'is carried out')
        t:is(written, looked, 'does not yield between its look and its write')
        t:ok(switches() > before, 'and does until that is on disk')
    end)
end

support.finish(test)
