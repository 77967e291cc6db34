-- Lets a client that has logged in check that it talks to our store, before it sends anything else. The login only
-- proves the client to the server. See docs/decisions/0012-proof-of-the-store.md.
local crypto = require('crypto')
local digest = require('digest')

-- The same text is defined for TypeScript in src/tarantool/store-proof.ts.
local CONTEXT = 'tarantool-kv: proof of the store: '
local MAX_NONCE_BYTES = 128

local proof = {}

-- Returns an HMAC-SHA256 in hexadecimal digits. The message is the context and the nonce. The key is what the store
-- keeps of the caller's password, SHA1(SHA1(password)).
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
