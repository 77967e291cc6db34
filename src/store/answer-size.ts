/** How large answers of the store are: of what size it tells before, and what none exceeds. Lua's home is tarantool/kv/answer.lua. */
export const ANSWER_SIZE = {
  /** Bytes in the store that need no room set aside. */
  SMALL_BYTES: 16 * 1024,
  /** Of one answer, in the store and as JSON. */
  MAX_BYTES: 16 * 1024 * 1024,
} as const;
