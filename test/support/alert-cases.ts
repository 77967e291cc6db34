const I = 'job="tarantool-kv",instance="a"';
const one = (name: string, labels = ''): string => `${name}{${I}${labels && `,${labels}`}}`;
/** A gauge that stays as it is, and a counter that grows by so much a minute, for an hour. */
const stays = (value: number): string => `${value}x60`;
const grows = (perMinute: number): string => `0+${perMinute}x60`;
const CALLS = 'kv_store_call_duration_seconds_bucket';
const call = (le: string): string => one(CALLS, `function="kv.get",le="${le}"`);
const requests = (status: number, route = '/kv/:key'): string =>
  one('kv_http_requests_total', `route="${route}",method="GET",status="${status}"`);

/** For each alert, series by which it fires, and no other alert. */
export const FIRING: Record<string, Record<string, string>> = {
  KvDown: { [one('up')]: stays(0) },
  KvStoreDisconnected: { [one('kv_store_connected')]: stays(0) },
  KvStoreSilent: { [one('up')]: stays(1) },
  KvStoreReadOnly: { [one('kv_store_writable')]: stays(0) },
  KvMemoryFull: { [one('kv_store_memory_full')]: stays(1) },
  KvMemoryNearlyFull: {
    [one('kv_store_memory_used_bytes')]: stays(86),
    [one('kv_store_memory_limit_bytes')]: stays(100),
  },
  KvServerErrors: { [requests(200)]: grows(90), [requests(503)]: grows(10) },
  KvOutcomeUnknown: { [requests(200)]: grows(9999), [requests(504)]: grows(1) },
  KvStoreSlow: { [call('0.25')]: grows(90), [call('0.5')]: grows(100), [call('+Inf')]: grows(100) },
  KvEventLoopBlocked: { [one('nodejs_eventloop_lag_p99_seconds')]: stays(0.2) },
  KvWorkersDie: { [one('kv_workers_ended_total')]: '0x25 1x35' },
  KvWorkerSilent: { [one('kv_workers_silent')]: stays(1) },
  KvReconnects: { [one('kv_store_reconnects_total')]: grows(1) },
  KvExpiryLate: { [one('kv_entries_expired_age_seconds')]: stays(121) },
  KvRetriesNearlyFull: { [one('kv_retries_bytes')]: stays(91), [one('kv_retries_limit_bytes')]: stays(100) },
  KvManyThrottled: { [one('kv_throttled_total')]: grows(20), [requests(429)]: grows(100) },
};

/** Series of a service that is well, by which no alert fires. */
const SILENT: Record<string, string> = {
  [one('up')]: stays(1),
  [one('kv_entries')]: stays(1),
  [one('kv_store_connected')]: stays(1),
  [one('kv_store_writable')]: stays(1),
  [one('kv_store_memory_full')]: stays(0),
  [one('kv_store_memory_used_bytes')]: stays(80),
  [one('kv_store_memory_limit_bytes')]: stays(100),
  [requests(200)]: grows(9999),
  [requests(503)]: grows(1),
  [requests(503, '/health/ready')]: grows(9999),
  [call('0.25')]: grows(100),
  [call('0.5')]: grows(100),
  [call('+Inf')]: grows(100),
  [one('nodejs_eventloop_lag_p99_seconds')]: stays(0.01),
  [one('kv_workers_ended_total')]: stays(3),
  [one('kv_workers_silent')]: stays(0),
  [one('kv_store_reconnects_total')]: stays(7),
  [one('kv_entries_expired_age_seconds')]: stays(1),
  [one('kv_retries_bytes')]: stays(10),
  [one('kv_retries_limit_bytes')]: stays(100),
  [one('kv_throttled_total')]: grows(20),
};

/** A file of tests for promtool, which takes JSON too. */
export function promtoolTests(rules: string): string {
  const cases = [...Object.entries(FIRING), ['', SILENT] as const];
  return JSON.stringify({
    rule_files: [rules],
    evaluation_interval: '1m',
    tests: cases.map(([alert, series]) => ({
      name: alert,
      interval: '1m',
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      promql_expr_test: [
        {
          expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
          eval_time: '30m',
          exp_samples: alert === '' ? [] : [{ labels: `{alertname="${alert}"}`, value: 1 }],
        },
      ],
    })),
  });
}
