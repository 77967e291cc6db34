// Positions in the arrays that the service and the store exchange. The same positions are defined for Lua in
// tarantool/kv/row.lua, txn.lua, changes.lua and retries.lua beside it, and a test compares them.

/** A row of the space. The last member is present only where the entry expires. */
export const ROW = ['KEY', 'VALUE', 'VERSION', 'EXPIRES_AT'] as const;

/** What a change in the log does to its entry. */
export const CHANGE = { INSERT: 1, UPDATE: 2, DELETE: 3, EXPIRE: 4 } as const;

/** What makes a write safe to repeat. */
export const RETRY = ['CLIENT', 'KEY', 'FINGERPRINT'] as const;

/** The record of a write that can be repeated. */
export const RECORD = ['CLIENT', 'KEY', 'AT', 'FINGERPRINT', 'ANSWER'] as const;

/** A comparison of a transaction. */
export const COMPARE = ['KEY', 'WHAT', 'WITH'] as const;

/** An operation of a transaction. */
export const OPERATION = ['OP', 'KEY', 'VALUE', 'TTL_S', 'IF_MATCH'] as const;

/** Which of its two lists of operations a transaction has carried out. */
export const BRANCH = { FAILURE: 0, SUCCESS: 1 } as const;

/** A token, as its store keeps it. `EXPIRES_AT` may be missing. */
export const TOKEN = ['ID', 'HASH', 'DEFINITION', 'EXPIRES_AT'] as const;
