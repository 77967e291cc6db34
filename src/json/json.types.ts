/**
 * A JSON value in this service.
 *
 * An integer literal is a `number` where that is safe (|n| < 2^53), otherwise a `bigint`. A number literal with a
 * fraction or an exponent is always a `number`. So an integral `number` beyond the safe range is a double and never
 * an exact integer.
 */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject;

/** Names are own properties, `__proto__` too. List them with `Object.keys`, and look them up with `Object.hasOwn`. */
export interface JsonObject {
  [name: string]: JsonValue;
}
