import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endWith } from './end-with.js';

const LINGER_MS = 1000;

/** A connection that records what is done with it. */
class Recorder extends EventEmitter {
  readonly done: string[] = [];
  end = (text: string): void => void this.done.push(`end ${text}`);
  destroy = (): void => void this.done.push('destroy');
}

let socket: Recorder;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  socket = new Recorder();
  endWith(socket as unknown as Socket, 'last words');
});
afterEach(() => void vi.useRealTimers());

describe('a connection that ends with an answer', () => {
  it('is closed a second later', () => {
    vi.advanceTimersByTime(LINGER_MS - 1);
    expect(socket.done).toEqual(['end last words']);
    vi.advanceTimersByTime(1);
    expect(socket.done).toEqual(['end last words', 'destroy']);
  });

  it('is left alone where its client has closed it', () => {
    socket.emit('close');
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(LINGER_MS);
    expect(socket.done).toEqual(['end last words']);
  });
});
