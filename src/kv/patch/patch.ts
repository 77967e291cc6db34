import type { JsonValue } from '../../json/json.types.js';

export const MERGE_PATCH = 'application/merge-patch+json';
export const JSON_PATCH = 'application/json-patch+json';

/** Body of `PATCH /kv/:key`: what it means is said by its media type. */
export class Patch {
  static readonly mediaTypes: readonly string[] = [MERGE_PATCH, JSON_PATCH];

  constructor(
    readonly mediaType: string,
    readonly document: JsonValue,
  ) {}
}
