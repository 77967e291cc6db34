import { nameOf } from './feed-history.js';
import type { Acknowledged, FeedHistory, ToldChange } from './feed-history.js';

/** Returns what breaks a guarantee, in words. */
type Validator = (history: FeedHistory) => string[];

/** One for each guarantee of docs/api.md (Changes), as etcd's robustness tests have them. */
export const validators: Readonly<Record<string, Validator>> = {
  /** Changes come in the order of their revisions. */
  ordered: ({ deliveries }) => {
    const wrong: string[] = [];
    let last = 0;
    for (const change of deliveries.flatMap(({ changes }) => changes)) {
      if (change.revision < last) wrong.push(`${nameOf(change)} came after the revision ${last}`);
      last = change.revision;
    }
    return wrong;
  },

  /** No change comes twice. */
  unique: ({ deliveries }) => {
    const seen = new Set<string>();
    return deliveries
      .flatMap(({ changes }) => changes.map(nameOf))
      .filter((name) => seen.size === seen.add(name).size)
      .map((name) => `${name} came twice`);
  },

  /** Nothing is missing between the first offset and the last one, of the log and of what writers were told. */
  reliable: ({ prefix, deliveries, acknowledged, reference }) => {
    const changes = deliveries.flatMap((delivery) => delivery.changes);
    const [first, last] = [deliveries[0]?.from ?? 0, deliveries.at(-1)?.next ?? 0];
    const seen = new Set(changes.map(nameOf));
    const isAsked = ({ key, revision }: { key: string; revision: number }): boolean =>
      key.startsWith(prefix) && revision > first && revision <= last;
    const missing = reference.filter((change) => isAsked(change) && !seen.has(nameOf(change))).map(nameOf);
    const known = new Set(changes.flatMap(marksOf));
    const untold = acknowledged
      .filter(({ key }) => key.startsWith(prefix))
      .map(markOf)
      .filter((mark) => !known.has(mark));
    return [...missing, ...untold].map((name) => `${name} is missing`);
  },

  /** All changes of one revision come at once. */
  atomic: ({ deliveries }) => {
    const deliveredBy = new Map<number, number>();
    const wrong: string[] = [];
    for (const [n, { changes }] of deliveries.entries()) {
      for (const { revision } of changes) {
        if ((deliveredBy.get(revision) ?? n) !== n) wrong.push(`the revision ${revision} came in parts`);
        deliveredBy.set(revision, n);
      }
    }
    return wrong;
  },

  /** A client that connects again gets what is behind the offset that it had, and nothing else. */
  resumable: ({ deliveries }) =>
    deliveries.flatMap(({ from, changes }) =>
      changes
        .filter(({ revision }) => revision <= from)
        .map((change) => `${nameOf(change)} came behind ${from}`),
    ),

  /** Behind an offset that was told comes nothing older, and no older offset. */
  bookmarked: ({ deliveries }) => {
    const wrong: string[] = [];
    let bookmark = 0;
    for (const { changes, next } of deliveries) {
      for (const change of changes) {
        if (change.revision <= bookmark) wrong.push(`${nameOf(change)} came behind the bookmark ${bookmark}`);
      }
      if (next < bookmark) wrong.push(`the bookmark ${next} came after ${bookmark}`);
      bookmark = next;
    }
    return wrong;
  },

  /** What was told is what the log holds at the end, after all kills. */
  durableOnly: ({ deliveries, reference }) => {
    const durable = new Map(reference.map((change) => [nameOf(change), JSON.stringify(change)]));
    return deliveries
      .flatMap(({ changes }) => changes)
      .filter((change) => durable.get(nameOf(change)) !== JSON.stringify(change))
      .map((change) => `${nameOf(change)} is not in the log`);
  },

  /** What is no longer held is refused, for good, and nothing else is. */
  honest: ({ deliveries, held }) => {
    const wrong: string[] = [];
    let gone = -1;
    for (const { from, isGone } of deliveries) {
      if (isGone && from >= held) wrong.push(`the offset ${from} was refused, and is held`);
      if (!isGone && from <= gone)
        wrong.push(`the offset ${from} was answered, and ${gone} had been refused`);
      if (isGone) gone = Math.max(gone, from);
    }
    return wrong;
  },
};

/** A write is found again by its revision, or by the version and the expiry time that it left. */
function markOf({ key, revision, version, json, expiresAt }: Acknowledged): string {
  if (revision === undefined) return `${key} touched ${version} ${expiresAt}`;
  return `${key} written ${revision} ${json} ${expiresAt}`;
}

function marksOf({ key, revision, version, json, expiresAt }: ToldChange): string[] {
  const written = markOf({ key, revision, version, json, expiresAt });
  if (json === undefined || revision === version) return [written];
  return [written, markOf({ key, revision: undefined, version, json, expiresAt })];
}
