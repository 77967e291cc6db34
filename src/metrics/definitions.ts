/** How the values of several processes become one. */
type Aggregator = 'sum' | 'min' | 'max' | 'average' | 'first' | 'omit';

export interface Definition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly aggregator: Aggregator;
  readonly help: string;
  readonly labels: readonly string[];
}

const define =
  (type: Definition['type'], aggregator: Aggregator = 'sum') =>
  (help: string, ...labels: string[]): Definition => ({ type, aggregator, help, labels });

const counter = define('counter');
const gauge = define('gauge');
const histogram = define('histogram');

/**
 * All metrics of ours. Names follow https://prometheus.io/docs/practices/naming/. Labels have few values, which come
 * from our own code: never a key, a token or an address.
 */
export const DEFINITIONS = {
  kv_http_requests_total: counter('Requests that have ended', 'route', 'method', 'status'),
  kv_http_request_duration_seconds: histogram(
    'Time from the head of a request to the end of its answer',
    'route',
    'method',
  ),
  kv_throttled_total: counter('Requests that were refused because of the rate of their client'),
  kv_connections: gauge('Open connections of clients'),
  kv_watchers: gauge('Clients that wait for changes'),
  kv_answers_bytes: gauge('Bytes of large answers that are held'),
  kv_bodies_bytes: gauge('Bytes of memory that are held for request bodies'),

  kv_store_calls_total: counter('Calls to the store that have ended', 'function', 'outcome'),
  kv_store_call_duration_seconds: histogram('Time from sending a call to its answer or its end', 'function'),
  kv_store_calls_in_flight: gauge('Calls that wait for an answer of the store'),
  kv_store_connected: define('gauge', 'min')('1 where every worker is connected to the store, else 0'),
  kv_store_reconnects_total: counter('Connections to the store that were lost and made again'),

  kv_workers: gauge('Workers that serve'),
  kv_workers_silent: gauge('Workers that did not tell their metrics in time'),
  kv_workers_ended_total: counter('Workers that have ended and were replaced'),

  kv_store_writable: gauge('1 where the store takes writes, 0 where it is read-only'),
  kv_store_memory_used_bytes: gauge('Bytes of memory that the data of the store and its indexes use'),
  kv_store_memory_limit_bytes: gauge('Bytes of memory that they may use'),
  kv_store_memory_full: gauge('1 while the memory is full and only writes that need none of it are taken'),
  kv_entries: gauge('Entries, with those that have expired and are not removed yet'),
  kv_entries_bytes: gauge('Bytes of entries, without indexes'),
  kv_entries_expiring: gauge('Entries that have an expiry time'),
  kv_entries_expired: gauge('Entries that have expired and are not removed yet, counted up to 1000'),
  kv_entries_expired_age_seconds: gauge('For how long the first of them has been expired'),
  kv_revision: gauge('The newest revision that was given'),
  kv_changes: gauge('Changes in the log of changes'),
  kv_changes_bytes: gauge('Bytes of memory that the log of changes uses'),
  kv_changes_limit_bytes: gauge('Bytes of memory that it may use'),
  kv_changes_oldest_revision: gauge('The revision behind which the log of changes holds every change'),
  kv_retries: gauge('Answers that are kept for writes with an Idempotency-Key'),
  kv_retries_bytes: gauge('Bytes of memory that these answers use'),
  kv_retries_limit_bytes: gauge('Bytes of memory that they may use'),
  kv_tokens: gauge('Tokens that the store holds'),
} as const satisfies Record<string, Definition>;
