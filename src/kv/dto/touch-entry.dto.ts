import { isTime, isTtl } from '../ttl.js';
import { either, isNull, optional } from './checks.js';
import type { Members } from './members.js';

/** Body of `POST /kv/:key/touch`: one of the two. A `ttl` of null takes the time to live away. */
export class TouchEntryDto {
  static readonly members: Members<TouchEntryDto> = {
    ttl: optional(either(isTtl, isNull)),
    expires_at: optional(isTime),
  };

  readonly ttl?: number | null;
  readonly expires_at?: string | number;
}
