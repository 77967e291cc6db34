import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { CallsInFlight } from './calls-in-flight.js';
import { ENDED_CALLS } from './ended-calls.js';
import type { EndedCall } from './ended-calls.js';
import { callTemplate } from './iproto.js';

const LIMITS = { timeoutMs: 100, maxInFlight: 2, maxQueuedBytes: 1000 };
const template = callTemplate('f');
const noArgs = Buffer.of(0x90);
/** The code of an answer that is an error. */
const ERROR = 0x8000;

let ended: EndedCall[];
const listen = (message: unknown): void => void ended.push(message as EndedCall);
beforeEach(() => {
  ended = [];
  subscribe(ENDED_CALLS.name, listen);
});
afterEach(() => void unsubscribe(ENDED_CALLS.name, listen));

it('the end of each call is told once, with its outcome', async () => {
  const socket = new Writable({ write: (_chunk, _encoding, done) => done() });
  const calls = new CallsInFlight(socket, LIMITS);
  const send = (name: string): void => void calls.send(template, noArgs, name).catch(() => undefined);
  const data = (): MsgpackReader => new MsgpackReader(Buffer.of(0x81, 0x30, 0x90));

  send('first');
  send('second');
  send('one too many');
  calls.answer({ code: 0, sync: 0 }, data());
  calls.answer({ code: ERROR + 1, sync: 1 }, data());
  send('late');
  calls.enforceDeadlines(performance.now() + LIMITS.timeoutMs);
  calls.answer({ code: 0, sync: 2 }, data());
  send('cut off');
  calls.end(new Error('gone'));
  await new Promise(setImmediate);

  expect(ended.map(({ functionName, outcome }) => [functionName, outcome])).toEqual([
    ['one too many', 'not_sent'],
    ['first', 'answered'],
    ['second', 'refused'],
    ['late', 'unknown'],
    ['cut off', 'unknown'],
  ]);
  expect(ended[3]?.seconds).toBeGreaterThanOrEqual(LIMITS.timeoutMs / 1000);
});
