/** How much of the timeout of a call it may wait, or it would be taken for a call that is not answered. */
const PART_OF_TIMEOUT = 1 / 2;

/** For how many milliseconds a call may wait in the store for something to change: as long as wanted, if possible. */
export function longCallMs(wantedMs: number, timeoutMs: number): number {
  return Math.min(wantedMs, Math.floor(timeoutMs * PART_OF_TIMEOUT));
}
