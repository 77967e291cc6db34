import { etcd } from './contestants/etcd.mjs';
import { kv } from './contestants/kv.mjs';
import { webdis } from './contestants/webdis.mjs';
import { yardstick } from './contestants/yardstick.mjs';

const SMALL = 200;
const MEDIUM = 4096;
const LARGE = 102_400;

/** The size of an entry in the measurements of growth and memory. */
const GROWTH_BYTES = 100;

/**
 * The workloads, in the order in which they are measured. All contestants of a workload run at the same time, and are
 * measured in turn.
 *
 * - `kind`: how it is measured
 * - `contestants`: the others are compared with the first
 * - `traffic`: see traffic.lua. `entries` of `bytes` are loaded before, unless the contestant has its own.
 * - `status`: the expected status of every answer except the yardstick's; 200 by default
 */
export function workloadsOf({ mixedEntries, growth }) {
  const service = kv('kv');
  const base = yardstick(SMALL);
  const uniform = { pick: 'uniform', entries: mixedEntries, bytes: SMALL };
  return [
    ...besideOthers(service, base, uniform),
    ...refusals(service, base),
    ...latencies(service, base, uniform),
    costs(),
    ...growths(growth),
  ].map((workload) => ({ kind: 'throughput', connections: 64, status: 200, ...workload }));
}

function one(bytes) {
  return { pick: 'one', reads: 1, bytes };
}

function count(number) {
  return number.toLocaleString('en');
}

/** The same traffic for the service, the yardstick and other stores. */
function besideOthers(service, base, uniform) {
  const everyone = [base, service, etcd, webdis];
  return [
    {
      name: 'get-64',
      title: 'GET, 200 bytes, 64 connections',
      contestants: everyone,
      traffic: one(SMALL),
    },
    {
      name: 'get-1',
      title: 'GET, 200 bytes, 1 connection',
      contestants: everyone,
      connections: 1,
      traffic: one(SMALL),
    },
    {
      name: 'get-512',
      title: 'GET, 200 bytes, 512 connections',
      contestants: everyone,
      connections: 512,
      traffic: one(SMALL),
    },
    {
      name: 'get-4k',
      title: 'GET, 4 kB, 64 connections',
      contestants: [yardstick(MEDIUM), service, etcd, webdis],
      traffic: one(MEDIUM),
    },
    {
      name: 'get-100k',
      title: 'GET, 100 kB, 64 connections',
      contestants: [yardstick(LARGE), service, etcd, webdis],
      traffic: one(LARGE),
    },
    {
      name: 'put',
      title: `PUT, durable, 200 bytes, any of ${count(uniform.entries)} keys, 64 connections`,
      contestants: everyone,
      traffic: { ...uniform, reads: 0 },
    },
    {
      name: 'post',
      title: 'POST, durable, 200 bytes, new keys, 64 connections',
      contestants: everyone,
      traffic: { pick: 'fresh', reads: 0, write: 'insert', bytes: SMALL },
    },
    {
      name: 'mixed',
      title: `90 % GET, 10 % PUT, Zipf over ${count(uniform.entries)} keys, 64 connections`,
      contestants: everyone,
      traffic: { ...uniform, pick: 'zipf', reads: 0.9 },
    },
  ];
}

function refusals(service, base) {
  return [
    {
      name: 'not-found',
      title: 'GET of an absent key (404), 64 connections',
      contestants: [base, service],
      traffic: { pick: 'absent', reads: 1, bytes: SMALL },
      status: 404,
    },
    {
      name: 'too-many',
      title: 'GET over the limit (429), 64 connections',
      contestants: [
        base,
        kv('kv, limit spent', {
          environment: { THROTTLE_LIMIT: 1, THROTTLE_TTL: 86_400_000 },
          refusesAll: true,
        }),
      ],
      traffic: one(SMALL),
      status: 429,
    },
  ];
}

function latencies(service, base, uniform) {
  return [
    {
      name: 'latency-get',
      kind: 'latency',
      title: 'GET, 200 bytes, at half of the peak of kv',
      contestants: [base, service],
      traffic: one(SMALL),
    },
    {
      name: 'latency-put',
      kind: 'latency',
      title: 'PUT, durable, 200 bytes, at half of the peak of kv',
      contestants: [base, service],
      traffic: { ...uniform, reads: 0 },
    },
  ];
}

function costs() {
  return {
    name: 'cost-get',
    title: 'What the limiter and the request log cost: GET, 200 bytes, 64 connections',
    contestants: [
      // A new instance, because all three must have been running for the same time.
      kv('kv'),
      kv('kv, no limiter', { environment: { THROTTLE_LIMIT: 0 } }),
      kv('kv, no request log', { environment: { LOG_LEVEL: 'warn' } }),
    ],
    traffic: one(SMALL),
  };
}

/** Stores of growing size: how fast they are, and the memory of the largest. */
function growths(growth) {
  const sizes = growth.map((entries) =>
    kv(`kv, ${count(entries)} entries`, { entries, bytes: GROWTH_BYTES }),
  );
  return [
    {
      name: 'growth-get',
      title: 'Growth: GET, 100 bytes, any key, 64 connections',
      contestants: sizes,
      traffic: { pick: 'uniform', reads: 1, bytes: GROWTH_BYTES },
    },
    {
      name: 'growth-put',
      title: 'Growth: PUT, durable, 100 bytes, any key, 64 connections',
      contestants: sizes,
      traffic: { pick: 'uniform', reads: 0, bytes: GROWTH_BYTES },
    },
    {
      name: 'memory',
      kind: 'memory',
      title: `Memory, with ${count(growth.at(-1))} entries of ${GROWTH_BYTES} bytes`,
      contestants: [sizes.at(-1)],
      traffic: { pick: 'uniform', reads: 0.9, bytes: GROWTH_BYTES },
    },
  ];
}
