import { ArrayMaxSize, ArrayMinSize, IsArray } from 'class-validator';
import type { JsonValue } from '../../json/json.types.js';

export const MAX_BATCH_OPERATIONS = 1000;

/** Body of `POST /batch`. */
export class BatchDto {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_BATCH_OPERATIONS)
  readonly operations: JsonValue[];
}
