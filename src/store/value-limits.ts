import type { LimitsConfig } from '../config/config.js';

export type ValueLimits = Pick<LimitsConfig, 'maxDepth' | 'maxBodyBytes'>;

/** What a value may have as JSON: as `GET` answers it, in `{"value":…}`, it can be sent by `PUT` again. */
export function maxJsonBytes({ maxBodyBytes }: ValueLimits): number {
  return maxBodyBytes - '{"value":}'.length;
}
