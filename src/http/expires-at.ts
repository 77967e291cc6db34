/** The member of an answer that says when an entry ends, behind others, as JSON text; nothing for one that does not. */
export function expiresAtMember(expiresAt: number | undefined): string {
  return expiresAt === undefined ? '' : `,"expires_at":"${new Date(expiresAt).toISOString()}"`;
}
