/** The epoch and the length of the intervals of the protocol (Durable Streams §8.1). */
const EPOCH_MS = Date.UTC(2024, 9, 9);
const INTERVAL_MS = 20_000;
/** A client whose cursor is not behind the clock gets one that is up to this many intervals ahead of it. */
const MAX_JITTER = 180;

/**
 * The number of the present interval. Clients send it with their next request, so that a cache in between answers
 * those that ask in the same interval together, and none of them twice.
 */
export function streamCursor(sent: string | undefined, nowMs = Date.now()): string {
  const present = Math.floor((nowMs - EPOCH_MS) / INTERVAL_MS);
  const known = sent !== undefined && /^\d{1,15}$/.test(sent) ? Number(sent) : -1;
  return String(known < present ? present : known + 1 + Math.floor(Math.random() * MAX_JITTER));
}
