/** What a change did to an entry. */
type Operation = 'insert' | 'update' | 'delete';

/** A committed change of one entry. */
export interface Change {
  /** Changes of one transaction have the same revision. */
  readonly revision: number;
  readonly key: string;
  readonly operation: Operation;
  /** The value as JSON text. Undefined where the entry was removed. */
  readonly json: string | undefined;
  /** The version of the entry. For a removal it is the revision of the removal. */
  readonly version: number;
  readonly expiresAt: number | undefined;
  /** The entry was removed because its time was over. */
  readonly isExpiry: boolean;
}

/** Changes in the order of the log. */
export interface ChangesPage {
  readonly changes: readonly Change[];
  /** The revision behind which to continue. Changes of other keys were passed over. */
  readonly next: number;
  /** Whether no later change is known. */
  readonly isUpToDate: boolean;
}
