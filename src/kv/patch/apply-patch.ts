import { KvError } from '../../entries/kv.errors.js';
import type { ValueLimits } from '../../store/value-limits.js';
import { Budget } from './budget.js';
import { Document } from './document.js';
import { Editor } from './editor.js';
import { applyJsonPatch } from './json-patch.js';
import { applyMergePatch } from './merge-patch.js';
import { MERGE_PATCH } from './patch.js';
import type { Patch } from './patch.js';

/**
 * The work that a patch may take for each byte: of the largest body, or of the stored value where that is larger. In
 * all it takes some tens of milliseconds.
 */
const WORK_PER_BYTE = 4;

/**
 * Applies a patch to a stored value, which is not changed, and returns the result as MessagePack.
 * @throws {KvError} what a JSON Patch throws; INVALID_BODY for a patch whose result is no object.
 */
export function applyPatch(stored: Buffer, patch: Patch, limits: ValueLimits): Buffer {
  const budget = new Budget(WORK_PER_BYTE * Math.max(limits.maxBodyBytes, stored.length));
  const document = new Document(stored, limits.maxDepth, budget);
  if (patch.mediaType === MERGE_PATCH) applyMergePatch(document, patch.document);
  else applyJsonPatch(new Editor(document, budget, limits), patch.document);
  if (!document.isObject(document.root)) throw new KvError('INVALID_BODY');
  return document.bytes();
}
