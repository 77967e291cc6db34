import { isObject } from '../../json/is-object.js';
import type { JsonObject } from '../../json/json.types.js';
import { isTime, isTtl } from '../ttl.js';
import { either, isWord, optional } from './checks.js';
import type { Members } from './members.js';

/** Body of `PUT /kv/:key`. */
export class UpdateEntryDto {
  static readonly members: Members<UpdateEntryDto> = {
    value: isObject,
    ttl: optional(either(isTtl, isWord('keep'))),
    expires_at: optional(isTime),
  };

  readonly value: JsonObject;
  readonly ttl?: number | 'keep';
  readonly expires_at?: string | number;
}
