import type { JsonObject } from '../../json/json.types.js';
import { IsJsonObject } from './is-json-object.decorator.js';

/** Body of `PUT /kv/:key`. */
export class UpdateEntryDto {
  @IsJsonObject()
  readonly value: JsonObject;
}
