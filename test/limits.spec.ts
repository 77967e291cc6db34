import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** What stands under "default" in the table "Limits" of docs/operations.md, by the name of the limit. */
const DEFAULTS = new Map(
  [
    ...read('docs/operations.md')
      .split('\n## ')
      .filter((section) => section.startsWith('Limits'))
      .join('')
      .matchAll(/^\| ([^|]+?) +\| [^|]+ \| ([^|]+?) +\|/gm),
  ].map(([, limit = '', preset = '']) => [limit, preset]),
);

// Tests of these limits use smaller ones, since no test can wait for an hour or send a million clients. Or they use the
// constant itself. So the source is read to see that the service has the limits of the page.
describe('a limit that no test knows by its number', () => {
  // Holds limit.rate-clients, limit.connections, limit.backlog, limit.arrival, limit.store-calls.
  // Holds limit.waiting-for-room, limit.answer-reading, limit.log-memory, limit.store-start, limit.entity-tags.
  // Holds limit.log-lines.
  it.each<[string, string, [string, string][]]>([
    [
      'Clients of the rate',
      '65,536; 1,048,576',
      [
        ['src/throttling/tarantool-throttler.storage.ts', 'MAX_CLIENTS = 65_536;'],
        ['tarantool/kv/throttle.lua', 'generation_clients = 65536,'],
        ['tarantool/kv/throttle.lua', 'max_generations = 16,'],
      ],
    ],
    [
      'Connections',
      '10,000, and 100 fewer than open files',
      [['src/http/connections/connection-limit.ts', 'OTHER_FILES = 100;']],
    ],
    [
      'Connections not accepted',
      '4096, and no more than `net.core.somaxconn`',
      [
        ['src/supervisor/server.ts', 'BACKLOG = 4096;'],
        ['src/supervisor/server.ts', 'backlog: BACKLOG }'],
      ],
    ],
    ['Arrival', '30 s', [['src/config/load-config.ts', 'REQUEST_TIMEOUT_MS = 30_000;']]],
    [
      'Calls to the store',
      '4096 calls, 64 MiB',
      [
        ['src/tarantool/tarantool-client.ts', 'DEFAULT_MAX_IN_FLIGHT = 4096;'],
        ['src/tarantool/tarantool-client.ts', 'DEFAULT_MAX_QUEUED_BYTES = 64 * 1024 * 1024;'],
      ],
    ],
    ['Waiting for room', '2048', [['src/answers/answer-budget.ts', 'MAX_WAITING = 2048;']]],
    ['Entity tags', '128', [['src/http/precondition.ts', 'MAX_ENTITY_TAGS = 128;']]],
    ['Repeated log lines', '10', [['src/logging/repeats.ts', 'MAX_REPEATS_PER_SECOND = 10;']]],
    [
      'Reading of an answer',
      '30 s; 30 s, and 1 s for each 64 KiB',
      [['src/answers/bounded-response.ts', 'PACE: Pace = { stallMs: 30_000, bytesPerMs: 65.536 };']],
    ],
    [
      'Log lines in the memory',
      '16 MiB; 1 MiB',
      [
        ['src/logging/log.ts', 'MAX_WAITING_BYTES = 16 * 1024 * 1024;'],
        ['src/supervisor/worker-pool.ts', 'MAX_WAITING_ERROR_BYTES = 1024 * 1024;'],
      ],
    ],
    [
      'Start of the store',
      '1 h',
      [['src/supervisor/embedded-tarantool.ts', 'START_TIMEOUT_MS = 3_600_000;']],
    ],
  ])('is in the source what it is on the page: %s', (limit, preset, places) => {
    expect(DEFAULTS.get(limit)).toBe(preset);
    for (const [file, text] of places) expect(read(file)).toContain(text);
  });
});
