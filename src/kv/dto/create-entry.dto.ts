import { IsString } from 'class-validator';
import type { JsonObject } from '../../json/json.types.js';
import { IsJsonObject } from './is-json-object.decorator.js';
import { IsTtl } from './is-ttl.decorator.js';

/** Body of `POST /kv`. */
export class CreateEntryDto {
  @IsString()
  readonly key: string;

  @IsJsonObject()
  readonly value: JsonObject;

  @IsTtl()
  readonly ttl?: number;
}
