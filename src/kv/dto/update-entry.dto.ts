import type { JsonObject } from '../../json/json.types.js';
import type { Ttl } from '../entry.js';
import { IsJsonObject } from './is-json-object.decorator.js';
import { IsTtl } from './is-ttl.decorator.js';

/** Body of `PUT /kv/:key`. */
export class UpdateEntryDto {
  @IsJsonObject()
  readonly value: JsonObject;

  @IsTtl('keep')
  readonly ttl?: Ttl;
}
