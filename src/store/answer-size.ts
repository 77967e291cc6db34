/** The sizes of large answers of the store. The same numbers are defined for Lua in tarantool/kv/answer.lua. */
export const ANSWER_SIZE = {
  /** A value of up to this many bytes in the store is answered at once, without room set aside. */
  SMALL_BYTES: 16 * 1024,
  /** The most bytes of one answer, in the store and as JSON. */
  MAX_BYTES: 16 * 1024 * 1024,
} as const;
