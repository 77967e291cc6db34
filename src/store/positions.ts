// What stands where in the arrays that travel between the service and the store. Lua's homes are tarantool/kv/row.lua and
// tarantool/kv/txn.lua; a test compares them.

/** A row of the space. The last one is there only where the entry expires. */
export const ROW = ['KEY', 'VALUE', 'VERSION', 'EXPIRES_AT'] as const;

/** A comparison of a transaction. */
export const COMPARE = ['KEY', 'WHAT', 'WITH'] as const;

/** An operation of a transaction. */
export const OPERATION = ['OP', 'KEY', 'VALUE', 'TTL_S', 'IF_MATCH'] as const;

/** Which operations of a transaction were carried out. */
export const BRANCH = { FAILURE: 0, SUCCESS: 1 } as const;
