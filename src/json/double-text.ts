import { MsgpackFormatError } from '../msgpack/msgpack-reader.js';

/**
 * A double as it is answered. An integral one beyond the safe range has an exponent, so that it is not taken for an exact integer.
 * @throws MsgpackFormatError for NaN and the infinities
 */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) throw new MsgpackFormatError('a number is not finite');
  if (Object.is(value, -0)) return '-0';
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value);
}
