const PROSE = 'the quick brown fox jumps over the lazy dog, and then again; ';

/**
 * A document of small members, as in a configuration, whose JSON is exactly `bytes` long. `bytes` must be at least
 * 60.
 */
export function valueOf(bytes) {
  const value = { id: 4211, on: true, none: null, ratio: 0.25, note: '' };
  let size = JSON.stringify(value).length;
  for (let i = 0; ; i++) {
    const [name, member] = [`member ${i}`, { id: i, name: `name ${i}`, on: i % 2 === 0 }];
    const more = JSON.stringify({ [name]: member }).length - 1;
    if (size + more > bytes) break;
    value[name] = member;
    size += more;
  }
  const padding = bytes - size;
  if (padding < 0) throw new Error(`no value is as short as ${bytes} bytes`);
  value.note = PROSE.repeat(Math.ceil(padding / PROSE.length)).slice(0, padding);
  return value;
}
