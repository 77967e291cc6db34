import type { JsonValue } from '../../json/json.types.js';
import { isList } from '../../http/bodies/checks.js';
import type { Members } from '../../http/bodies/members.js';

const MAX_BATCH_OPERATIONS = 1000;

/** Body of `POST /batch`. */
export class BatchDto {
  static readonly members: Members<BatchDto> = { operations: isList(1, MAX_BATCH_OPERATIONS) };

  readonly operations: JsonValue[];
}
