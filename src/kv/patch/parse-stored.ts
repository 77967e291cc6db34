import { parseJson } from '../../json/parse-json.js';
import type { JsonValue } from '../../json/json.types.js';

export function parseStored(json: string): JsonValue {
  return parseJson(Buffer.from(json));
}
