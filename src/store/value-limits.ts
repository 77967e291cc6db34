import type { LimitsConfig } from '../config/config.js';

export type ValueLimits = Pick<LimitsConfig, 'maxDepth' | 'maxBodyBytes'>;

/**
 * The most bytes that a value may have as JSON. `GET` answers it as `{"value":…}`, and that must fit into the body of
 * a `PUT`.
 */
export function maxJsonBytes({ maxBodyBytes }: ValueLimits): number {
  return maxBodyBytes - '{"value":}'.length;
}
