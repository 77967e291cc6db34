-- What a connection may do. The service's user may execute the functions below, and nothing else. A guest may do
-- nothing.
--
-- Neither has the role 'public'. On a stock Tarantool up to 2.x that role may execute the function LUA, which runs
-- any code with the rights of admin, and a guest without a password has the role too. The role may also write to
-- _collation and _truncate. Without it a net.box connection cannot read the views of the schema: such a client is
-- told that it cannot read _vspace.
local log = require('log')

local FUNCTIONS = {
    'kv.insert', 'kv.get', 'kv.update', 'kv.delete', 'kv.upsert', 'kv.touch', 'kv.list', 'kv.txn', 'kv.changes', 'kv.prove',
    'kv.remove',
    'kv.find_retry', 'kv.stats',
    'tokens.read', 'tokens.create', 'tokens.delete',
    'throttle.take',
    'health.check',
}
local OURS = {kv = true, tokens = true, throttle = true, health = true}
local ADMIN = 1

local access = {functions = FUNCTIONS}

local function is_as_wanted(func)
    return func.owner == ADMIN and func.setuid == 1 and func.language == 'LUA' and func.body == ''
end

-- setuid: the functions may write, their caller may not.
local function register_functions()
    local wanted = {}
    for _, name in ipairs(FUNCTIONS) do
        wanted[name] = true
        local func = box.space._func.index.name:get(name)
        if func ~= nil and not is_as_wanted(func) then
            box.schema.func.drop(name)
        end
        box.schema.func.create(name, {setuid = true, if_not_exists = true})
    end
    for _, func in box.space._func:pairs() do
        if OURS[func.name:match('^(%w+)%.')] and not wanted[func.name] then
            box.schema.func.drop(func.name)
        end
    end
end

local function revoke_all_but(user, wanted)
    for _, grant in ipairs(box.schema.user.info(user)) do
        local privileges, object_type, object_name = grant[1], grant[2], grant[3]
        if not wanted[table.concat(grant, ' ', 1, 3)] then
            box.schema.user.revoke(user, privileges, object_type, object_name, {if_exists = true})
        end
    end
end

local function grant_functions(user)
    local wanted = {['session,usage universe '] = true}
    for _, name in ipairs(FUNCTIONS) do
        wanted['execute function ' .. name] = true
    end
    revoke_all_but(user, wanted)
    box.schema.user.grant(user, 'session,usage', 'universe', nil, {if_not_exists = true})
    for _, name in ipairs(FUNCTIONS) do
        box.schema.user.grant(user, 'execute', 'function', name, {if_not_exists = true})
    end
end

local function has_password(user, password)
    local auth = user.auth or {}
    local hash = auth[box.cfg.auth_type or 'chap-sha1']
    return hash ~= nil and (password == nil or hash == box.schema.user.password(password))
end

-- A user may use what it owns, whatever is revoked from it.
local function warn_of_property(user)
    for _, space in ipairs({box.space._space, box.space._func, box.space._sequence}) do
        local owned = space.index.owner:min(user.id)
        if owned ~= nil then
            log.warn('access: the user "%s" owns "%s", and can do with it what it likes', user.name, owned.name)
        end
    end
end

-- Returns the user, or nil and a sentence. Writes a password only where it differs from the present one.
local function ensure_user(name, password)
    local user = box.space._user.index.name:get(name)
    if user == nil then
        if password == nil then
            return nil, ('TARANTOOL_PASSWORD is not set, but takes the password for the user "%s", who does not exist yet')
                :format(name)
        end
        box.schema.user.create(name, {password = password})
    elseif user.type ~= 'user' then
        return nil, ('TARANTOOL_USER is "%s", but takes the name of a user, and that is a role'):format(name)
    elseif not has_password(user, password) then
        if password == nil then
            return nil, ('TARANTOOL_PASSWORD is not set, but takes the password for the user "%s", who has none'):format(name)
        end
        box.schema.user.passwd(name, password)
    end
    return box.space._user.index.name:get(name)
end

-- Returns true, or nil and a sentence. Without a password the user keeps its present one.
function access.apply(name, password)
    register_functions()
    revoke_all_but('guest', {})
    if box.func.LUA ~= nil then
        box.schema.role.revoke('public', 'execute', 'function', 'LUA', {if_exists = true})
    end
    local user, problem = ensure_user(name, password)
    if user == nil then
        return nil, problem
    end
    grant_functions(name)
    warn_of_property(user)
    return true
end

return access
