const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;

/** Whether MessagePack can hold the integer, as an int 64 or as a uint 64. */
export function isInRange(integer: bigint): boolean {
  return integer >= MIN_INT64 && integer <= MAX_UINT64;
}
