/**
 * The field `traceparent` (W3C Trace Context, §3.2): version, trace-id, parent-id and flags, in lower case. A later
 * version may have more behind them.
 */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(-.*)?$/;

/** Further fields of later versions are not read, but the field has to end somewhere. */
const MAX_LENGTH = 512;

/** The trace that a request belongs to. Undefined where it says none, or what it says is malformed. */
export function traceOf(traceparent: string | string[] | undefined): string | undefined {
  if (typeof traceparent !== 'string' || traceparent.length > MAX_LENGTH) return undefined;
  const [, version, trace, more] = TRACEPARENT.exec(traceparent) ?? [];
  return version === '00' && more !== undefined ? undefined : trace;
}
