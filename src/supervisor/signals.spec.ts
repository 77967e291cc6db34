import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { onStopSignal } from './signals.js';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;

const before = new Map(SIGNALS.map((signal) => [signal, process.listeners(signal)]));
let heard: string[];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  // The test runner's own listeners would end it.
  for (const signal of SIGNALS) process.removeAllListeners(signal);
  heard = [];
  onStopSignal((signal) => heard.push(signal));
});
afterEach(() => {
  vi.useRealTimers();
  for (const signal of SIGNALS) {
    process.removeAllListeners(signal);
    for (const listener of before.get(signal) ?? []) process.on(signal, listener);
  }
});

describe('a signal that asks for a stop', () => {
  it.each(SIGNALS)('%s is heard', (signal) => {
    process.emit(signal, signal);
    expect(heard).toEqual([signal]);
  });

  it('is heard once when npm hands it on as well', () => {
    process.emit('SIGTERM', 'SIGTERM');
    vi.advanceTimersByTime(2);
    process.emit('SIGTERM', 'SIGTERM');
    expect(heard).toEqual(['SIGTERM']);
  });

  it('is heard once when another one follows at once, as systemd sends them', () => {
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGHUP', 'SIGHUP');
    expect(heard).toEqual(['SIGTERM']);
  });

  it.each(SIGNALS)('is heard again when somebody asks a second time, by %s', (signal) => {
    process.emit('SIGTERM', 'SIGTERM');
    vi.advanceTimersByTime(50);
    process.emit(signal, signal);
    expect(heard).toEqual(['SIGTERM', signal]);
  });

  it('is heard again when somebody keeps on sending it', () => {
    for (let sent = 0; sent < 10; sent++) {
      process.emit('SIGTERM', 'SIGTERM');
      vi.advanceTimersByTime(10);
    }
    expect(heard.length).toBeGreaterThan(1);
  });
});
