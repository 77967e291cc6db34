/**
 * The first byte of a MessagePack value, which tells its type
 * (https://github.com/msgpack/msgpack/blob/master/spec.md#overview).
 */

export function isString(code: number): boolean {
  return (code >= 0xa0 && code <= 0xbf) || (code >= 0xd9 && code <= 0xdb);
}

export function isInteger(code: number): boolean {
  return code <= 0x7f || code >= 0xe0 || (code >= 0xcc && code <= 0xd3);
}

export function isMap(code: number): boolean {
  return (code >= 0x80 && code <= 0x8f) || code === 0xde || code === 0xdf;
}

export function isArray(code: number): boolean {
  return (code >= 0x90 && code <= 0x9f) || code === 0xdc || code === 0xdd;
}

export function isFloat(code: number): boolean {
  return code === 0xca || code === 0xcb;
}
