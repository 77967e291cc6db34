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

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
