import { isObject } from '../../json/is-object.js';
import type { JsonObject } from '../../json/json.types.js';
import { isTime, isTtl } from '../../entries/ttl.js';
import { either, isWord, optional } from '../../http/bodies/checks.js';
import type { Members } from '../../http/bodies/members.js';

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
