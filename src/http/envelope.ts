export const JSON_UTF8 = 'application/json; charset=utf-8';

/** The body of every answer but a value's: these two members and no others. */
export function envelope(message: string, status: number): string {
  return `{"message":${JSON.stringify(message)},"status":${status}}`;
}
