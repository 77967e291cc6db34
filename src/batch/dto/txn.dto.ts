import type { JsonValue } from '../../json/json.types.js';
import { isList, optional } from '../../http/bodies/checks.js';
import type { Members } from '../../http/bodies/members.js';

const MAX_TXN_OPERATIONS = 128;

const isTxnList = isList(0, MAX_TXN_OPERATIONS);

/** Body of `POST /txn`. Each list holds up to 128. */
export class TxnDto {
  static readonly members: Members<TxnDto> = {
    compare: optional(isTxnList),
    success: isTxnList,
    failure: optional(isTxnList),
  };

  readonly compare?: JsonValue[];
  readonly success: JsonValue[];
  readonly failure?: JsonValue[];
}
