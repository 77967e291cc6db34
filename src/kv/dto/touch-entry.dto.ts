import { ValidateBy } from 'class-validator';
import { isTtl } from '../ttl.js';

/** Body of `POST /kv/:key/touch`: null takes the time to live away. */
export class TouchEntryDto {
  @ValidateBy({ name: 'isTtlOrNull', validator: { validate: (ttl) => ttl === null || isTtl(ttl) } })
  readonly ttl: number | null;
}
