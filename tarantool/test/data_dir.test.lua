local here = require('fio').dirname(require('fio').abspath(arg[0]))
package.path = here .. '/?.lua;' .. package.path
local support = require('support')
local bit = require('bit')
local ffi = require('ffi')
local fio = require('fio')
local tap = require('tap')

local data_dir = require('kv.data_dir')

local function octal(text)
    return tonumber(text, 8)
end

local function path_of(name)
    return fio.pathjoin(support.folder, name)
end

local function mode_of(path)
    return bit.band(fio.stat(path).mode, octal('0777'))
end

local function folder(name, mode, files)
    local path = path_of(name)
    fio.mkdir(path)
    for file, file_mode in pairs(files or {}) do
        fio.open(fio.pathjoin(path, file), {'O_CREAT', 'O_WRONLY'}, octal('0600')):close()
        fio.chmod(fio.pathjoin(path, file), octal(file_mode))
    end
    fio.chmod(path, octal(mode))
    return path
end

local test = tap.test('data_dir')
test:plan(7)

test:test('a folder that is missing', function(t)
    t:plan(3)
    local path = path_of('made/with/parents')
    t:is(data_dir.prepare(path), true, 'is made')
    t:is(mode_of(path), octal('0700'), 'for its owner only')
    local file = path_of('a file')
    fio.open(file, {'O_CREAT', 'O_WRONLY'}, octal('0600')):close()
    local done, problem = data_dir.prepare(fio.pathjoin(file, 'below'))
    t:ok(done == nil and problem:find('a folder that is there or can be made', 1, true), 'or it is said why not')
end)

test:test('a folder that others may read', function(t)
    t:plan(4)
    local path = folder('open', '0755', {
        ['1.snap'] = '0644', ['1.xlog'] = '0640', ['2.vylog'] = '0604', ['3.snap.inprogress'] = '0644', ['lost+found'] = '0755',
    })
    t:is(data_dir.prepare(path), true, 'is taken')
    t:is(mode_of(path), octal('0700'), 'and made private')
    local modes = {}
    for _, name in ipairs({'1.snap', '1.xlog', '2.vylog', 'lost+found'}) do
        modes[name] = mode_of(fio.pathjoin(path, name))
    end
    t:is_deeply(modes, {['1.snap'] = octal('0600'), ['1.xlog'] = octal('0600'), ['2.vylog'] = octal('0600'),
        ['lost+found'] = octal('0755')}, 'with its files, but not those of the file system')
    t:is(fio.path.exists(fio.pathjoin(path, '3.snap.inprogress')), false, 'and what was left unfinished is removed')
end)

test:test('a folder of other programs', function(t)
    local NAMES = {'notes', '1.snap.old', 'a.snap', '1.txt', '1.SNAP', 'x1.xlog'}
    t:plan(2 * #NAMES + 2)
    for i, name in ipairs(NAMES) do
        local path = folder('foreign' .. i, '0750', {[name] = '0644'})
        local done, problem = data_dir.prepare(path)
        t:ok(done == nil and problem:find(('there is "%s" in it'):format(name), 1, true), name .. ' keeps it from being taken')
        t:is(mode_of(path), octal('0750'), 'and unchanged')
    end
    local path = folder('private', '0700', {notes = '0644', ['1.snap'] = '0644'})
    t:is(data_dir.prepare(path), true, 'is taken where nobody else can read it')
    t:is_deeply({mode_of(fio.pathjoin(path, 'notes')), mode_of(fio.pathjoin(path, '1.snap'))}, {octal('0644'), octal('0600')},
        'and only our files are made private')
end)

test:test('a folder that only others may write', function(t)
    t:plan(2)
    local path = folder('written', '0702', {})
    t:is(data_dir.prepare(path), true, 'is made private, too')
    t:is(mode_of(path), octal('0700'), 'as it should be')
end)

test:test('a folder that another instance holds', function(t)
    t:plan(2)
    local path = folder('held', '0755', {})
    pcall(ffi.cdef, 'int flock(int fd, int operation);')
    local fd = ffi.C.open(path, 0)
    ffi.C.flock(fd, 2)
    local done, problem = data_dir.prepare(path)
    t:ok(done == nil and problem:find('is in use by another instance', 1, true), 'is refused')
    t:is(mode_of(path), octal('0755'), 'and not changed')
    ffi.C.close(fd)
end)

pcall(ffi.cdef, 'unsigned geteuid(void); int seteuid(unsigned user);')
local NOBODY = 65534

test:test('a folder that this user cannot read', function(t)
    t:plan(3)
    local path = folder('closed', '0000', {})
    local user = ffi.C.geteuid()
    local here_before = fio.cwd()
    fio.chdir(support.folder)
    -- The superuser may read everything. Another user may not come here by the full path.
    if user == 0 then
        fio.chmod(support.folder, octal('0711'))
        ffi.C.seteuid(NOBODY)
    end
    local done, problem = data_dir.prepare('closed')
    ffi.C.seteuid(user)
    fio.chdir(here_before)
    t:is(done, nil, 'is refused')
    t:is(problem, 'DATA_DIR is "closed", but takes a folder that can be read: Permission denied', 'and it is said why')
    t:is(mode_of(path), 0, 'and not changed')
    fio.chmod(path, octal('0700'))
end)

test:test('a folder that was prepared', function(t)
    t:plan(1)
    -- box.cfg takes the lock that prepare has only looked at.
    local path = folder('again', '0700', {})
    t:is_deeply({data_dir.prepare(path), data_dir.prepare(path)}, {true, true}, 'is not held')
end)

support.finish(test)
