import { ValidatorConstraint } from 'class-validator';
import type { ValidationArguments, ValidatorConstraintInterface } from 'class-validator';
import ipaddr from 'ipaddr.js';

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
