-- The first member of a stored function's answer. The same codes are defined for TypeScript in src/store/outcome.ts.
return {
    OK = 0,
    NOT_FOUND = 1,
    EXISTS = 2,
    PRECONDITION_FAILED = 3,
    -- of kv.txn only
    ABORTED = 4,
    -- of kv.get and kv.txn: nothing was done, because room has to be set aside for the answer first
    LARGE = 5,
    -- of kv.changes: changes behind this revision are no longer held; there is no log
    GONE = 6,
    OFF = 7,
    -- of writes that can be repeated: the answer of the first time follows; the key belongs to another request
    REPLAYED = 8,
    REUSED = 9,
    -- of health.check only
    READ_ONLY = 10,
    FAILED = 11,
    -- nothing was done, because as much is kept as may be
    FULL = 12,
    -- of writes that can be repeated: the first time has not settled, so it may be carried out or not
    UNSETTLED = 13,
}
