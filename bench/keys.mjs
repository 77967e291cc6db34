/** The key of a loaded entry in the form that `instance` uses. traffic.lua makes the same keys. */
export function keyOf(index, instance) {
  return spell(`k${String(index).padStart(8, '0')}`, instance);
}

export function spell(key, { keysAreBase64 }) {
  return keysAreBase64 ? Buffer.from(key).toString('base64') : key;
}

/** The entry that traffic with `pick: 'one'` uses. */
export function entryKey(bytes) {
  return `entry-${bytes}`;
}
