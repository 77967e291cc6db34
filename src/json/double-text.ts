import { MsgpackFormatError } from '../msgpack/msgpack-reader.js';

/**
 * The text of a double in an answer. An integral double beyond the safe range gets an exponent, so that no reader
 * takes it for an exact integer.
 * @throws MsgpackFormatError for NaN and the infinities
 */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) throw new MsgpackFormatError('a number is not finite');
  if (Object.is(value, -0)) return '-0';
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value);
}
