-- What a stored function answers first. The other home of these codes is src/store/outcome.ts.
return {
    OK = 0,
    NOT_FOUND = 1,
    EXISTS = 2,
    PRECONDITION_FAILED = 3,
    -- kv.txn only
    ABORTED = 4,
    -- kv.get and kv.txn: nothing was done, because the answer needs room to be set aside first
    LARGE = 5,
    -- health.check only
    READ_ONLY = 10,
    FAILED = 11,
}
