import { isObject } from '../../json/is-object.js';
import type { JsonObject, JsonValue } from '../../json/json.types.js';
import { KvError } from '../kv.errors.js';
import { applyJsonPatch } from './json-patch.js';
import { applyMergePatch } from './merge-patch.js';
import { MERGE_PATCH } from './patch.js';
import type { Patch } from './patch.js';

/**
 * The value that comes of it; the one given is not used again.
 * @throws {KvError} what a JSON Patch throws; INVALID_BODY for a patch that leaves no object.
 */
export function applyPatch(value: JsonValue, { mediaType, document }: Patch): JsonObject {
  const result =
    mediaType === MERGE_PATCH ? applyMergePatch(value, document) : applyJsonPatch(value, document);
  if (!isObject(result)) throw new KvError('INVALID_BODY');
  return result;
}
