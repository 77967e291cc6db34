import { channel } from 'node:diagnostics_channel';

/**
 * What became of a call: the store answered it, refused it with an error, or it is not known. Or the call was not sent.
 */
export type CallOutcome = 'answered' | 'refused' | 'unknown' | 'not_sent';

export interface EndedCall {
  readonly functionName: string;
  readonly outcome: CallOutcome;
  /** Since it was sent. */
  readonly seconds: number;
}

/** Each call to the store is told here when it has ended. */
export const ENDED_CALLS = channel('tarantool-kv:call.ended');

/** `sentAt` is a time of `performance.now()`. */
export function tellEndedCall(functionName: string, outcome: CallOutcome, sentAt: number, now: number): void {
  if (!ENDED_CALLS.hasSubscribers) return;
  const ended: EndedCall = { functionName, outcome, seconds: (now - sentAt) / 1000 };
  ENDED_CALLS.publish(ended);
}
