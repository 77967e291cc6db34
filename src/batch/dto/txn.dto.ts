import { ArrayMaxSize, IsArray, ValidateIf } from 'class-validator';
import type { JsonValue } from '../../json/json.types.js';

export const MAX_TXN_OPERATIONS = 128;

/** Body of `POST /txn`. Each list holds up to 128. */
export class TxnDto {
  @ValidateIf(({ compare }: TxnDto) => compare !== undefined)
  @IsArray()
  @ArrayMaxSize(MAX_TXN_OPERATIONS)
  readonly compare?: JsonValue[];

  @IsArray()
  @ArrayMaxSize(MAX_TXN_OPERATIONS)
  readonly success: JsonValue[];

  @ValidateIf(({ failure }: TxnDto) => failure !== undefined)
  @IsArray()
  @ArrayMaxSize(MAX_TXN_OPERATIONS)
  readonly failure?: JsonValue[];
}
