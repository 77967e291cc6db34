/** `wait` among the preferences of a request (RFC 7240 §2, §4.3). Other preferences are not ours. */
const WAIT = /(?:^|,)[\t ]*wait[\t ]*=[\t ]*"?(\d{1,9})"?[\t ]*(?:[,;]|$)/i;
const MAX_WAIT_S = 60;

/** How many seconds a client is willing to wait, at most 60. Undefined where it does not say so. */
export function preferredWait(prefer: string | string[] | undefined): number | undefined {
  if (prefer === undefined) return undefined;
  const seconds = WAIT.exec(String(prefer))?.[1];
  return seconds === undefined ? undefined : Math.min(Number(seconds), MAX_WAIT_S);
}
