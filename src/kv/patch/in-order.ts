/**
 * Yields members whose names are array indices first, in ascending order. JavaScript orders them so, and so does a
 * PUT of the value.
 */
export function* inOrder<T>(members: ReadonlyMap<string, T>): Iterable<[string, T]> {
  const indices = Float64Array.from(indicesOf(members)).sort();
  for (const index of indices) {
    const name = String(index);
    const member = members.get(name);
    if (member !== undefined) yield [name, member];
  }
  for (const entry of members) if (indices.length === 0 || !isIndexName(entry[0])) yield entry;
}

function* indicesOf(members: ReadonlyMap<string, unknown>): Iterable<number> {
  for (const name of members.keys()) if (isIndexName(name)) yield Number(name);
}

/** An array index is at most 2^32 − 2 (ECMA-262 §6.1.7). */
function isIndexName(name: string): boolean {
  const first = name.charCodeAt(0);
  return first >= 0x30 && first <= 0x39 && /^(?:0|[1-9]\d{0,9})$/.test(name) && Number(name) < 2 ** 32 - 1;
}
