import { isObject } from '../../json/is-object.js';
import type { JsonObject } from '../../json/json.types.js';
import { isTime, isTtl } from '../../entries/ttl.js';
import { isString, optional } from '../../http/bodies/checks.js';
import type { Members } from '../../http/bodies/members.js';

/** Body of `POST /kv`. */
export class CreateEntryDto {
  static readonly members: Members<CreateEntryDto> = {
    key: isString,
    value: isObject,
    ttl: optional(isTtl),
    expires_at: optional(isTime),
  };

  readonly key: string;
  readonly value: JsonObject;
  readonly ttl?: number;
  readonly expires_at?: string | number;
}
