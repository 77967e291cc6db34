import { isTime } from '../../entries/ttl.js';
import { isList, isString, optional } from '../../http/bodies/checks.js';
import type { Members } from '../../http/bodies/members.js';
import type { JsonValue } from '../../json/json.types.js';

const MAX_RULES = 100;

/** Body of `POST /tokens`. */
export class CreateTokenDto {
  static readonly members: Members<CreateTokenDto> = {
    name: isString,
    rules: isList(1, MAX_RULES),
    expires_at: optional(isTime),
  };

  readonly name: string;
  readonly rules: JsonValue[];
  readonly expires_at?: string | number;
}
