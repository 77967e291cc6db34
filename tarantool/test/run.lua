#!/usr/bin/env tarantool
-- Runs every *.test.lua beside it in a process of its own: tarantool tarantool/test/run.lua [part of a name]
local fio = require('fio')

local here = fio.dirname(fio.abspath(debug.getinfo(1, 'S').source:sub(2)))
local wanted = arg[1] or ''

local files = fio.glob(fio.pathjoin(here, '*.test.lua'))
table.sort(files)

local run, failed = 0, {}
for _, file in ipairs(files) do
    local name = fio.basename(file)
    if name:find(wanted, 1, true) then
        print('# ' .. name)
        run = run + 1
        if os.execute(("tarantool '%s'"):format(file)) ~= 0 then
            table.insert(failed, name)
        end
    end
end

print(('# %d of %d files passed'):format(run - #failed, run))
for _, name in ipairs(failed) do
    print('# failed: ' .. name)
end
os.exit(run > 0 and #failed == 0 and 0 or 1)
