import { describe, expect, it } from 'vitest';
import type { Change } from './change.js';
import { Ring } from './ring.js';

const change = (revision: number, key = 'a', json = '{}'): Change => ({
  revision,
  key,
  operation: 'update',
  json,
  version: revision,
  expiresAt: undefined,
  isExpiry: false,
});

describe('the latest changes', () => {
  it('are found by the revision that they follow, and by prefix', () => {
    const ring = new Ring(10, 1e6);
    const changes = [change(12, 'a/1'), change(12, 'b/1'), change(15, 'a/2'), change(16, 'c')];
    ring.append(changes, 17);
    expect(ring.page(10, '', 1e6)).toEqual({ changes, next: 17, isUpToDate: true });
    expect(ring.page(12, '', 1e6).changes).toEqual(changes.slice(2));
    expect(ring.page(14, 'a/', 1e6)).toEqual({ changes: [changes[2]], next: 17, isUpToDate: true });
    expect(ring.page(17, '', 1e6)).toEqual({ changes: [], next: 17, isUpToDate: true });
  });

  it('come in pages that never divide a revision', () => {
    const ring = new Ring(0, 1e6);
    const changes = [change(1), change(2), change(2), change(3)];
    ring.append(changes, 3);
    expect(ring.page(0, '', 1)).toEqual({ changes: [changes[0]], next: 1, isUpToDate: false });
    expect(ring.page(1, '', 1)).toEqual({ changes: [changes[1], changes[2]], next: 2, isUpToDate: false });
    expect(ring.page(2, '', 1)).toEqual({ changes: [changes[3]], next: 3, isUpToDate: true });
  });

  it('give way to later ones, and then cover less', () => {
    const ring = new Ring(0, 10_000);
    for (let revision = 1; revision <= 100; revision++) {
      ring.append([change(revision, 'a', 'x'.repeat(1000))], revision);
    }
    const { floor } = ring;
    expect(floor).toBeGreaterThan(80);
    expect([ring.covers(floor - 1), ring.covers(floor), ring.covers(100)]).toEqual([false, true, true]);
    expect(ring.page(floor, '', 1e9).changes.map(({ revision }) => revision)).toEqual(
      Array.from({ length: 100 - floor }, (_, i) => floor + 1 + i),
    );
  });

  it('do not cover what another process has told and this one has not read', () => {
    const ring = new Ring(5, 1e6);
    expect([ring.covers(4), ring.covers(5), ring.covers(6)]).toEqual([false, true, false]);
  });
});
