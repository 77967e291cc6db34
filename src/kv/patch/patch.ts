import type { JsonValue } from '../../json/json.types.js';

export const MERGE_PATCH = 'application/merge-patch+json';
export const JSON_PATCH = 'application/json-patch+json';

/** Body of `PATCH /kv/:key`. Its media type says what it means. */
export class Patch {
  static readonly mediaTypes: readonly string[] = [MERGE_PATCH, JSON_PATCH];

  constructor(
    readonly mediaType: string,
    readonly document: JsonValue,
  ) {}
}
