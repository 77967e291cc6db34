import { isObject } from '../../json/is-object.js';
import type { JsonObject, JsonValue } from '../../json/json.types.js';
import { KvError } from '../../entries/kv.errors.js';
import type { Editor } from './editor.js';
import { ownMember, parsePointer } from './pointer.js';

/** A patch with more operations is refused before any of them is looked at. */
export const MAX_PATCH_OPERATIONS = 10_000;

/** What each operation does. Members that it does not define are ignored (RFC 6902 §4). */
const OPERATIONS: Readonly<Record<string, (editor: Editor, path: string[], operation: JsonObject) => void>> =
  {
    add: (editor, path, operation) => editor.add(path, valueOf(operation)),
    remove: (editor, path) => editor.remove(path),
    replace: (editor, path, operation) => editor.replace(path, valueOf(operation)),
    move: (editor, path, operation) => editor.move(fromOf(operation), path),
    copy: (editor, path, operation) => editor.copy(fromOf(operation), path),
    test: (editor, path, operation) => {
      if (!editor.equals(path, valueOf(operation))) throw new KvError('PATCH_TEST_FAILED');
    },
  };

/**
 * Applies a JSON Patch (RFC 6902): all of its operations in their order, or none.
 * @throws {KvError} PATCH_TEST_FAILED; INVALID_BODY for what is no patch, or does not fit the document;
 * VALUE_TOO_LARGE for more operations than MAX_PATCH_OPERATIONS, and beyond the editor's budget.
 */
export function applyJsonPatch(editor: Editor, patch: JsonValue): void {
  if (!Array.isArray(patch)) throw new KvError('INVALID_BODY');
  if (patch.length > MAX_PATCH_OPERATIONS) throw new KvError('VALUE_TOO_LARGE');
  for (const operation of patch) {
    if (!isObject(operation)) throw new KvError('INVALID_BODY');
    const name = ownMember(operation, 'op');
    const carryOut =
      typeof name === 'string' && Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
    if (!carryOut) throw new KvError('INVALID_BODY');
    carryOut(editor, parsePointer(ownMember(operation, 'path')), operation);
  }
}

/** The value that an operation must have. It may be null. */
function valueOf(operation: JsonObject): JsonValue {
  const value = ownMember(operation, 'value');
  if (value === undefined) throw new KvError('INVALID_BODY');
  return value;
}

function fromOf(operation: JsonObject): string[] {
  return parsePointer(ownMember(operation, 'from'));
}
