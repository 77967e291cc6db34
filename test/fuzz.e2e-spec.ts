import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERROR_TABLE } from '../src/http/error-table.js';
import { fuzzedRequest } from './support/fuzzed-requests.js';
import type { FuzzedRequest } from './support/fuzzed-requests.js';
import { converse } from './support/raw-http.js';
import type { Conversation, RawAnswer } from './support/raw-http.js';
import { ServiceProcess } from './support/service-process.js';

// Sends requests of every kind, malformed in every way that the generators know, to the running service.
// FUZZ_REQUESTS and FUZZ_SEED make a longer run, or repeat one. A failing request is shown whole, because making it
// smaller would cause the failure again at each step.
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 2500);
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now());
const AT_ONCE = 16;
const MOST_ON_A_CONNECTION = 3;
const MEAN_ON_A_CONNECTION = (1 + MOST_ON_A_CONNECTION) / 2;

/** Longer than the service takes for any answer. Our half-close ends its wait for the rest of a message. */
const PATIENCE_MS = 20_000;

const MESSAGES = Object.values(ERROR_TABLE).map(({ message }) => message);
/** The members of a refusal, besides the operations of a transaction that `failed`. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  'application/json; charset=utf-8': ['message', 'status'],
  'application/problem+json; charset=utf-8': ['type', 'title', 'status', 'detail', 'code', 'message'],
};
/** Statuses that the request of a client must not cause: 500, 502, and an unreachable store. */
const NEVER = new Set([500, 502, 503, 504]);

let service: ServiceProcess;
beforeAll(async () => {
  service = await ServiceProcess.start({
    MAX_BODY_BYTES: '65536',
    TARANTOOL_WAL_MODE: 'write',
    // For what a long run writes.
    TARANTOOL_MEMORY: '2048',
  });
});
afterAll(() => service.remove());

async function talk(requests: FuzzedRequest[]): Promise<Conversation & { bytes: Buffer }> {
  const bytes = Buffer.concat(requests.map((request) => request.bytes));
  const methods = requests.map(({ method }) => method);
  return { bytes, ...(await converse(service.port, bytes, methods, PATIENCE_MS)) };
}

function expectSane({ status, fields, body }: RawAnswer, what: string): void {
  expect(NEVER, what).not.toContain(status);
  expect(fields['x-content-type-options'], what).toBe('nosniff');
  if (body === '') return;
  const document = JSON.parse(Buffer.from(body, 'latin1').toString()) as Record<string, unknown>;
  if (status < 400) return;
  expect(document, what).toMatchObject({ status, message: expect.toBeOneOf(MESSAGES) as unknown });
  const { failed: _, ...others } = document;
  expect(Object.keys(others), what).toEqual(MEMBERS[fields['content-type'] ?? '']);
}

describe('whatever is sent', () => {
  it(
    `${REQUESTS} requests (seed ${SEED}) get sane answers, and neither hang nor end a process`,
    async () => {
      const before = [service.tarantoolPid, ...service.workerPids];
      let sent = 0;
      const connection = fc.array(fuzzedRequest, { minLength: 1, maxLength: MOST_ON_A_CONNECTION });
      const connections = fc.array(connection, { minLength: AT_ONCE, maxLength: AT_ONCE });
      await fc.assert(
        fc.asyncProperty(connections, async (all) => {
          sent += all.flat().length;
          const conversations = await Promise.all(all.map(talk));
          for (const { bytes, answers, isClosed } of conversations) {
            const what = JSON.stringify(bytes.toString('latin1'));
            expect({ isClosed, isAnswered: answers.length > 0 }, what).toEqual({
              isClosed: true,
              isAnswered: true,
            });
            for (const answer of answers) expectSane(answer, what);
          }
        }),
        { numRuns: Math.ceil(REQUESTS / AT_ONCE / MEAN_ON_A_CONNECTION), seed: SEED, endOnFailure: true },
      );
      expect(sent).toBeGreaterThan(REQUESTS / 2);
      expect([service.tarantoolPid, ...service.workerPids]).toEqual(before);
      expect(service.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
      expect(await (await fetch(`${service.url}/health/ready`)).json()).toEqual({
        message: 'ready',
        status: 200,
      });
    },
    Math.max(60_000, REQUESTS * 10),
  );
});
