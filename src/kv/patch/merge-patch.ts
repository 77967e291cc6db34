import { isObject } from '../../json/is-object.js';
import type { JsonObject, JsonValue } from '../../json/json.types.js';
import { ownMember, setMember } from './pointer.js';

/** JSON Merge Patch (RFC 7396 §2). The target given is not used again. */
export function applyMergePatch(target: JsonValue, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = isObject(target) ? target : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else setMember(merged, name, applyMergePatch(ownMember(merged, name) ?? null, value));
  }
  return merged;
}
