std = 'luajit'
read_globals = {'box', 'package.setsearchroot'}
-- The stored functions that kv.lua publishes.
files['tarantool/test'] = {read_globals = {'kv', 'throttle', 'health'}, globals = {'box'}}
max_line_length = 132
include_files = {'tarantool/**/*.lua', '.luacheckrc'}
