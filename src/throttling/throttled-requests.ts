import { channel } from 'node:diagnostics_channel';

/** Each request that is refused because of its client's rate is told here. */
export const THROTTLED_REQUESTS = channel('tarantool-kv:request.throttled');
