import type { Config } from '../config/config.js';
import { isLoopback } from '../config/is-loopback.js';

const OPEN =
  'no ADMIN_TOKEN is set, so whoever reaches this address can read and write everything, from other machines too';

/** What the operator has to know of a service that everybody in its network may use. Undefined for any other. */
export function openAddressWarning(
  { access, http }: Pick<Config, 'access' | 'http'>,
  url: string,
): string | undefined {
  return access.adminToken === undefined && !isLoopback(http.host) ? `${OPEN}: ${url}` : undefined;
}
