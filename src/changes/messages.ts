import type { Change } from '../feed/change.js';
import { expiresAtMember } from '../http/expires-at.js';

/** The messages of changes, so that each is made once, however many clients get it. */
const messages = new WeakMap<Change, string>();

/**
 * A change as a message of the State Protocol of Durable Streams (change messages). `txid` is the revision of the
 * change. It differs from the version of the entry where only the time to live was changed.
 */
export function changeMessage(change: Change, withValue: boolean): string {
  if (!withValue) return render(change, false);
  let message = messages.get(change);
  if (message === undefined) {
    message = render(change, true);
    messages.set(change, message);
  }
  return message;
}

function render(change: Change, withValue: boolean): string {
  const { revision, key, operation, json, version, expiresAt, isExpiry } = change;
  const value = json === undefined || !withValue ? '' : `,"value":${json}`;
  const reason = isExpiry ? ',"reason":"expired"' : '';
  return (
    `{"type":"kv","key":${JSON.stringify(key)}${value},` +
    `"headers":{"operation":"${operation}","txid":"${revision}"},` +
    `"version":"${version}"${expiresAtMember(expiresAt)}${reason}}`
  );
}

/** A control message of the State Protocol. */
export function controlMessage(control: 'snapshot-start' | 'snapshot-end' | 'reset', offset: string): string {
  return `{"headers":{"control":"${control}","offset":"${offset}"}}`;
}
