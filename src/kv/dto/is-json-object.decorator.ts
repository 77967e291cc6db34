import { Validate, ValidatorConstraint } from 'class-validator';
import type { ValidatorConstraintInterface } from 'class-validator';

@ValidatorConstraint()
class JsonObjectConstraint implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  }
}

/** A JSON object; what is in it is none of the service's business. */
export function IsJsonObject(): PropertyDecorator {
  return Validate(JsonObjectConstraint);
}
