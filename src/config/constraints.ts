import { ValidatorConstraint } from 'class-validator';
import type { ValidationArguments, ValidatorConstraintInterface } from 'class-validator';
import ipaddr from 'ipaddr.js';
import { isIPv6 } from 'node:net';

@ValidatorConstraint()
export class WithinRange implements ValidatorConstraintInterface {
  validate(value: unknown, args: ValidationArguments): boolean {
    const [min, max] = args.constraints as [number, number];
    return typeof value === 'number' && value >= min && value <= max;
  }
}

@ValidatorConstraint()
export class Networks implements ValidatorConstraintInterface {
  validate(values: unknown): boolean {
    return (
      Array.isArray(values) &&
      values.every((value: string) => ipaddr.isValid(value) || ipaddr.isValidCIDR(value))
    );
  }
}

/**
 * An origin as browsers send it in `Origin` (RFC 6454 §7), or `*` alone. `null` is refused: many unrelated pages have
 * that origin.
 */
@ValidatorConstraint()
export class Origins implements ValidatorConstraintInterface {
  validate(values: unknown): boolean {
    return Array.isArray(values) && (isWildcard(values) || values.every(isOrigin));
  }
}

/** A host name, or an IP address without brackets. */
@ValidatorConstraint()
export class HostName implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'string' && isHostName(value);
  }
}

/** Host names, or addresses with or without brackets, or `*` alone. */
@ValidatorConstraint()
export class HostNames implements ValidatorConstraintInterface {
  validate(values: unknown): boolean {
    return (
      Array.isArray(values) &&
      (isWildcard(values) ||
        values.every((value: string) => isHostName(value) || /^\[[\da-f:.]+\]$/i.test(value)))
    );
  }
}

export const SECRET_FORM = '16 to 1024 letters, digits and -._~+/, and = at the end';

/** A secret that a client can send as a bearer token (RFC 6750 §2.1). */
@ValidatorConstraint()
export class Secret implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'string' && isSecret(value);
  }
}

export function isSecret(text: string): boolean {
  return text.length >= 16 && text.length <= 1024 && /^[\w.~+/-]+=*$/.test(text);
}

function isWildcard(values: unknown[]): boolean {
  return values.length === 1 && values[0] === '*';
}

function isHostName(value: string): boolean {
  return /^[\w.-]+$/.test(value) || isIPv6(value);
}

/** `URL` knows no origin for the scheme of a browser extension. */
function isOrigin(value: string): boolean {
  if (value.includes('*') || !URL.canParse(value)) return false;
  const { protocol, host, origin } = new URL(value);
  return value === (origin === 'null' && host !== '' ? `${protocol}//${host}` : origin);
}
