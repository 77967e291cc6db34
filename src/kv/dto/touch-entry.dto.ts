import { isTtl } from '../ttl.js';
import { either, isNull } from './checks.js';
import type { Members } from './members.js';

/** Body of `POST /kv/:key/touch`: null takes the time to live away. */
export class TouchEntryDto {
  static readonly members: Members<TouchEntryDto> = { ttl: either(isTtl, isNull) };

  readonly ttl: number | null;
}
