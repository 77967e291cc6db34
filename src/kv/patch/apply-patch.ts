import fastJsonPatch from 'fast-json-patch';
import type { Operation } from 'fast-json-patch';
import mergePatch from 'json-merge-patch';
import type { JsonObject, JsonValue } from '../../json/json.types.js';
import { KvError } from '../kv.errors.js';
import { MERGE_PATCH } from './patch.js';
import type { Patch } from './patch.js';
import { escapePatch, escapeValue, unescapeValue } from './safe-names.js';

const { applyPatch: applyJsonPatch, JsonPatchError } = fastJsonPatch;

/**
 * The value that comes of it; the one given is not used again.
 * @throws {KvError} PATCH_TEST_FAILED; INVALID_BODY for a patch that is none, does not fit the value, or leaves no object.
 */
export function applyPatch(value: JsonValue, { mediaType, document }: Patch): JsonObject {
  const safe = escapeValue(value);
  const result = unescapeValue(
    mediaType === MERGE_PATCH
      ? (mergePatch.apply(safe as object, escapeValue(document) as object) as JsonValue)
      : jsonPatched(safe, document),
  );
  if (typeof result !== 'object' || result === null || Array.isArray(result))
    throw new KvError('INVALID_BODY');
  return result;
}

/** JSON Patch (RFC 6902): all of its operations, or none. */
function jsonPatched(value: JsonValue, document: JsonValue): JsonValue {
  const operations = escapePatch(document) as unknown as Operation[];
  try {
    return applyJsonPatch(value, operations, true, true).newDocument;
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    throw new KvError(error.name === 'TEST_OPERATION_FAILED' ? 'PATCH_TEST_FAILED' : 'INVALID_BODY');
  }
}
