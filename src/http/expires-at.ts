/** The member `expires_at` as JSON text with a comma in front. Empty for an entry that does not expire. */
export function expiresAtMember(expiresAt: number | undefined): string {
  return expiresAt === undefined ? '' : `,"expires_at":"${new Date(expiresAt).toISOString()}"`;
}
