import { isObject } from '../../json/is-object.js';
import type { JsonObject } from '../../json/json.types.js';
import { isTtl } from '../ttl.js';
import { isString, optional } from './checks.js';
import type { Members } from './members.js';

/** Body of `POST /kv`. */
export class CreateEntryDto {
  static readonly members: Members<CreateEntryDto> = {
    key: isString,
    value: isObject,
    ttl: optional(isTtl),
  };

  readonly key: string;
  readonly value: JsonObject;
  readonly ttl?: number;
}
