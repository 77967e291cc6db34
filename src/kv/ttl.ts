/** Ten years, in seconds. */
export const MAX_TTL_S = 315_360_000;

export function isTtl(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_TTL_S;
}
