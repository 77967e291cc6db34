import { isObject } from '../../json/is-object.js';
import type { JsonObject, JsonValue } from '../../json/json.types.js';
import type { Document } from './document.js';
import type { Node, OpenObject } from './node.js';
import { MergeTrail } from './trail.js';

/**
 * Applies a JSON Merge Patch (RFC 7396 §2). The result grows by no more than the length of the patch, and the time is
 * linear in the lengths of the patch and the document.
 * @throws {KvError} INVALID_BODY for what cannot be kept exactly.
 */
export function applyMergePatch(document: Document, patch: JsonValue): void {
  if (isObject(patch) && hasMembers(patch))
    document.root = document.open(document.root, new MergeTrail(patch));
  document.root = merge(document, document.root, patch);
}

function merge(document: Document, target: Node | undefined, patch: JsonValue): Node {
  if (!isObject(patch)) return document.append(patch);
  if (target !== undefined && !hasMembers(patch) && document.isObject(target)) return target;
  const members: OpenObject = target instanceof Map ? target : new Map();
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name);
    else members.set(name, merge(document, members.get(name), value));
  }
  return members;
}

function hasMembers(object: JsonObject): boolean {
  return Object.keys(object).length > 0;
}
