/** The key of a loaded entry as `instance` spells it. The same is in traffic.lua. */
export function keyOf(index, instance) {
  return spell(`k${String(index).padStart(8, '0')}`, instance);
}

export function spell(key, { keysAreBase64 }) {
  return keysAreBase64 ? Buffer.from(key).toString('base64') : key;
}

/** The entry that the traffic `pick: 'one'` is about. */
export function entryKey(bytes) {
  return `entry-${bytes}`;
}
