import { isTime, isTtl } from '../../entries/ttl.js';
import { either, isNull, optional } from '../../http/bodies/checks.js';
import type { Members } from '../../http/bodies/members.js';

/** Body of `POST /kv/:key/touch`, with one of the two members. A `ttl` of null removes the time to live. */
export class TouchEntryDto {
  static readonly members: Members<TouchEntryDto> = {
    ttl: optional(either(isTtl, isNull)),
    expires_at: optional(isTime),
  };

  readonly ttl?: number | null;
  readonly expires_at?: string | number;
}
