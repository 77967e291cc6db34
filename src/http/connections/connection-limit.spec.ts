import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionLimit } from './connection-limit.js';
import { WrittenAnswers } from './written-answers.js';

const MAX_TURNED_AWAY = 32;
const TURN_AWAY_MS = 1000;

let lines: Record<string, unknown>[];
const log = pino(
  { level: 'info', base: null, timestamp: false },
  { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
);
const limitOf = (max: number): ConnectionLimit => new ConnectionLimit(max, new WrittenAnswers([]), log);

/** A connection that records what is done with it. */
class Recorder extends EventEmitter {
  readonly done: string[] = [];
  write = (text: string): void => void this.done.push(`write ${text.slice(9, 12)}`);
  end = (text: string): void => void this.done.push(`end ${text.slice(9, 12)}`);
  resume = (): void => void this.done.push('resume');
  destroySoon = (): void => void this.done.push('destroySoon');
  destroy = (): void => {
    this.done.push('destroy');
    this.emit('close');
  };
}

function connect(limit: ConnectionLimit, address = '203.0.113.1'): { isServed: boolean; socket: Recorder } {
  const socket = new Recorder();
  return { isServed: limit.admit(socket as unknown as Socket, address), socket };
}

beforeEach(() => {
  lines = [];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => void vi.useRealTimers());

describe('the limit of connections', () => {
  it('serves one client half of them at most, and again when some are closed', () => {
    const limit = limitOf(4);
    const first = connect(limit);
    expect([first.isServed, connect(limit).isServed, connect(limit).isServed]).toEqual([true, true, false]);
    first.socket.emit('close');
    expect(first.socket.done).toEqual([]);
    expect([connect(limit).isServed, connect(limit).isServed]).toEqual([true, false]);
    expect(connect(limit, '203.0.113.2').isServed).toBe(true);
  });

  it('counts those that are served', () => {
    const limit = limitOf(4);
    const { socket } = connect(limit);
    for (const last of [2, 3, 4]) connect(limit, `203.0.113.${last}`);
    expect(limit.open).toBe(3);
    socket.emit('close');
    expect(limit.open).toBe(2);
  });

  it('is two at least, of which one client has one', () => {
    const limit = limitOf(1);
    expect([connect(limit).isServed, connect(limit).isServed]).toEqual([true, false]);
  });

  it('is lower where the system allows fewer open files, and says so', () => {
    limitOf(10);
    expect(lines).toEqual([]);
    limitOf(1e9);
    expect(lines).toEqual([
      {
        level: 40,
        openFiles: expect.any(Number),
        connections: expect.any(Number),
        msg: 'the limit of open files is too low for MAX_CONNECTIONS',
      },
    ]);
    expect(Number(lines[0]?.['openFiles']) - Number(lines[0]?.['connections'])).toBe(100);
  });
});

describe('a connection over the limit', () => {
  it('is answered, and read until its client has ended it', () => {
    const limit = limitOf(2);
    connect(limit);
    const { socket } = connect(limit);
    expect(socket.done).toEqual(['resume', 'end 503']);
    socket.emit('end');
    expect(socket.done).toEqual(['resume', 'end 503', 'destroySoon']);
    socket.emit('close');
    vi.advanceTimersByTime(2 * TURN_AWAY_MS);
    expect(socket.done).toEqual(['resume', 'end 503', 'destroySoon']);
  });

  it('is closed after a second, or when it fails', () => {
    const limit = limitOf(2);
    connect(limit);
    const [slow, failing] = [connect(limit).socket, connect(limit).socket];
    failing.emit('error', new Error('reset'));
    expect(failing.done).toEqual(['resume', 'end 503', 'destroy']);
    vi.advanceTimersByTime(TURN_AWAY_MS - 1);
    expect(slow.done).toEqual(['resume', 'end 503']);
    vi.advanceTimersByTime(1);
    expect(slow.done).toEqual(['resume', 'end 503', 'destroy']);
  });

  it('is closed at once where 32 others are read, and no longer where one of them has gone', () => {
    const limit = limitOf(2);
    connect(limit);
    const read = Array.from({ length: MAX_TURNED_AWAY }, () => connect(limit).socket);
    expect(new Set(read.map(({ done }) => done.join()))).toEqual(new Set(['resume,end 503']));
    const { socket } = connect(limit);
    expect(socket.done).toEqual(['write 503', 'destroySoon']);
    socket.emit('error', new Error('reset'));
    expect(socket.done).toEqual(['write 503', 'destroySoon', 'destroy']);
    read[0]?.destroy();
    expect(connect(limit).socket.done).toEqual(['resume', 'end 503']);
    expect(connect(limit).socket.done).toEqual(['write 503', 'destroySoon']);
  });

  it('is told of in the log', () => {
    const limit = limitOf(2);
    for (let i = 0; i < 4; i++) connect(limit);
    vi.advanceTimersByTime(60_000);
    expect(lines.map(({ msg }) => msg)).toContain('connections were refused: as many are open as may be');
  });
});
