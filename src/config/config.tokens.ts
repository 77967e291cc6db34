import { getConfigToken } from '@nestjs/config';

/** One injection token for each group of the configuration: `@Inject(LIMITS) limits: LimitsConfig`. */
export const HTTP = getConfigToken('http');
export const LIMITS = getConfigToken('limits');
export const THROTTLE = getConfigToken('throttle');
export const ACCESS = getConfigToken('access');
export const TARANTOOL = getConfigToken('tarantool');
