import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { CallsInFlight } from './calls-in-flight.js';
import { callTemplate } from './iproto.js';
import { TarantoolProtocolError } from './packet-framer.js';
import { TarantoolNotSentError, TarantoolOutcomeUnknownError } from './tarantool-client.errors.js';

const LIMITS = { timeoutMs: 100, maxInFlight: 3, maxQueuedBytes: 1000 };
const template = callTemplate('f');
const noArgs = Buffer.of(0x90);
const emptyData = (): MsgpackReader => new MsgpackReader(Buffer.of(0x81, 0x30, 0x90));
const ok = (sync: number): { code: number; sync: number } => ({ code: 0, sync });

describe('CallsInFlight', () => {
  let written: Buffer[];
  let writes: number;
  let socket: Writable;

  beforeEach(() => {
    written = [];
    writes = 0;
    const writev = (chunks: { chunk: Buffer }[], done: () => void): void => {
      writes++;
      written.push(...chunks.map(({ chunk }) => chunk));
      done();
    };
    socket = new Writable({ write: (chunk: Buffer, _, done) => writev([{ chunk }], done), writev });
    socket.on('error', () => undefined);
  });

  afterEach(() => nextTurn());

  const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const syncs = (): number[] => written.map((packet) => packet.readUInt32BE(10));

  it('writes the calls of one turn of the event loop at once', async () => {
    const calls = new CallsInFlight(socket, LIMITS);
    for (let i = 0; i < 3; i++) calls.send(template, noArgs).catch(() => undefined);
    expect(writes).toBe(0);
    await nextTurn();
    expect([writes, syncs()]).toEqual([1, [0, 1, 2]]);
  });

  it('starts again at 0 after the last sync, and passes over those in use', async () => {
    const calls = new CallsInFlight(socket, LIMITS, 0xffff_ffff);
    const last = calls.send(template, noArgs);
    void calls.send(template, noArgs);
    calls.answer(ok(0xffff_ffff), emptyData());
    await last;
    await nextTurn();
    expect(syncs()).toEqual([0xffff_ffff, 0]);
  });

  it('never uses the sync of a call that is pending or was abandoned', async () => {
    const calls = new CallsInFlight(socket, { ...LIMITS, maxInFlight: 10 }, 0xffff_fffe);
    const abandoned = calls.send(template, noArgs); // 0xfffffffe
    calls.enforceDeadlines(performance.now() + LIMITS.timeoutMs);
    await expect(abandoned).rejects.toBeInstanceOf(TarantoolOutcomeUnknownError);
    void calls.send(template, noArgs); // 0xffffffff
    await nextTurn();
    // As if 2^32 calls had gone by since:
    Object.assign(calls, { nextSync: 0xffff_fffe });
    void calls.send(template, noArgs);
    await nextTurn();
    expect(syncs()).toEqual([0xffff_fffe, 0xffff_ffff, 0]);
  });

  it('keeps a slow call apart from those that come and go beside it', async () => {
    const calls = new CallsInFlight(socket, LIMITS);
    const slow = calls.send(template, noArgs); // 0
    for (const sync of [1, 2, 3, 5, 6, 7, 9]) {
      const quick = calls.send(template, noArgs);
      calls.answer(ok(sync), emptyData());
      await quick;
    }
    // 8 would be kept where 0 is.
    expect(() => calls.answer(ok(8), emptyData())).toThrow(TarantoolProtocolError);
    calls.enforceDeadlines(performance.now() + LIMITS.timeoutMs);
    await expect(slow).rejects.toBeInstanceOf(TarantoolOutcomeUnknownError);
  });

  it('drops one late answer to an abandoned call in silence, and refuses a second', async () => {
    const calls = new CallsInFlight(socket, LIMITS);
    const abandoned = calls.send(template, noArgs);
    calls.enforceDeadlines(performance.now() + LIMITS.timeoutMs);
    await expect(abandoned).rejects.toBeInstanceOf(TarantoolOutcomeUnknownError);
    calls.answer(ok(0), emptyData());
    expect(() => calls.answer(ok(0), emptyData())).toThrow(TarantoolProtocolError);
  });

  it('counts abandoned calls as in flight, which bounds what is remembered of them', async () => {
    const calls = new CallsInFlight(socket, LIMITS);
    const abandoned = [1, 2, 3].map(() => calls.send(template, noArgs));
    const settled = Promise.allSettled(abandoned);
    calls.enforceDeadlines(performance.now() + LIMITS.timeoutMs);
    await settled;
    await expect(calls.send(template, noArgs)).rejects.toBeInstanceOf(TarantoolNotSentError);
    calls.answer(ok(1), emptyData());
    void calls.send(template, noArgs);
    await nextTurn();
    expect(syncs()).toEqual([0, 1, 2, 3]);
  });

  it('ends the connection when nothing at all was answered for twice the timeout', async () => {
    const calls = new CallsInFlight(socket, LIMITS);
    const call = calls.send(template, noArgs);
    calls.enforceDeadlines(performance.now() + LIMITS.timeoutMs);
    await expect(call).rejects.toBeInstanceOf(TarantoolOutcomeUnknownError);
    expect(calls.isOpen).toBe(true);
    calls.enforceDeadlines(performance.now() + 2 * LIMITS.timeoutMs + 1);
    expect(calls.isOpen).toBe(false);
  });

  it('does not end an idle connection', () => {
    const calls = new CallsInFlight(socket, LIMITS);
    calls.enforceDeadlines(performance.now() + 1e9);
    expect(calls.isOpen).toBe(true);
  });

  it('takes a message pushed on the way for no answer', async () => {
    const calls = new CallsInFlight(socket, LIMITS);
    const call = calls.send(template, noArgs);
    calls.answer({ code: 0x80, sync: 0 }, emptyData());
    calls.answer(ok(0), emptyData());
    expect((await call).arrayHeader()).toBe(0);
  });

  it('calls what was corked and never written unknown too, because nobody can tell', async () => {
    const calls = new CallsInFlight(socket, LIMITS);
    const call = calls.send(template, noArgs);
    const cause = new Error('gone');
    socket.destroy();
    calls.end(cause);
    await expect(call).rejects.toMatchObject({ name: 'TarantoolOutcomeUnknownError', cause });
    await nextTurn();
    expect(written).toEqual([]);
  });
});
