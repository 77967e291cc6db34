/**
 * The bytes are not JSON (RFC 8259) in UTF-8, or hold a number that cannot be kept exactly. The message never quotes
 * the text.
 */
export class InvalidJsonError extends Error {
  override readonly name = 'InvalidJsonError';
}

/** The value cannot be stored exactly: nested too deep, a lone surrogate, or a number out of range. */
export class UnencodableValueError extends Error {
  override readonly name = 'UnencodableValueError';
}
