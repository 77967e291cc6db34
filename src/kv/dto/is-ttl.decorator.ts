import { ValidateBy, ValidateIf } from 'class-validator';
import { isTtl } from '../ttl.js';

/** Whole seconds to live, or one of the other `words`; it may be left out, but not be null. */
export function IsTtl(...words: unknown[]): PropertyDecorator {
  return (target, property) => {
    ValidateIf((dto: Record<string | symbol, unknown>) => dto[property] !== undefined)(target, property);
    ValidateBy({
      name: 'isTtl',
      validator: { validate: (value) => isTtl(value) || words.includes(value) },
    })(target, property);
  };
}
