-- How a client that has logged in finds out that it talks to our store, before it sends anything else: the login proves the client
-- to the server only. See docs/decisions/0012-proof-of-the-store.md.
local crypto = require('crypto')
local digest = require('digest')

-- Its other home is src/tarantool/store-proof.ts.
local CONTEXT = 'tarantool-kv: proof of the store: '
local MAX_NONCE_BYTES = 128

local proof = {}

-- Returns HMAC-SHA256 in hexadecimal digits: of the nonce behind the context, by what the store keeps of the password of the user
-- who asks, SHA1(SHA1(password)).
function proof.prove(nonce)
    if type(nonce) ~= 'string' or #nonce == 0 or #nonce > MAX_NONCE_BYTES then
        box.error(box.error.ILLEGAL_PARAMS, ('a nonce of 1 to %d bytes'):format(MAX_NONCE_BYTES))
    end
    local user = box.space._user.index.name:get(box.session.user())
    local kept = user.auth ~= nil and user.auth['chap-sha1']
    if not kept then
        box.error(box.error.ILLEGAL_PARAMS, 'a user with a password for chap-sha1')
    end
    return crypto.hmac.sha256_hex(digest.base64_decode(kept), CONTEXT .. nonce)
end

return proof
