import { isObject } from '../../json/is-object.js';
import type { JsonObject } from '../../json/json.types.js';
import type { Ttl } from '../entry.js';
import { isTtl } from '../ttl.js';
import { either, isWord, optional } from './checks.js';
import type { Members } from './members.js';

/** Body of `PUT /kv/:key`. */
export class UpdateEntryDto {
  static readonly members: Members<UpdateEntryDto> = {
    value: isObject,
    ttl: optional(either(isTtl, isWord('keep'))),
  };

  readonly value: JsonObject;
  readonly ttl?: Ttl;
}
