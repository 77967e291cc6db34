import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ClientAddresses } from './client-address.js';

const addresses = new ClientAddresses(['10.0.0.1', '192.168.0.0/16', '2001:db8:ffff::/48', '::1']);

function clientOf(remoteAddress: string | undefined, forwarded?: string, from = addresses): string {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress });
  const request = new IncomingMessage(socket);
  if (forwarded !== undefined) request.headers['x-forwarded-for'] = forwarded;
  return from.of(request);
}

describe('the address of a client', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    // A connection that was closed has no address any more.
    [undefined, ''],
  ])('is its own where it comes by itself: %s', (remote, client) => {
    expect(clientOf(remote)).toBe(client);
    expect(clientOf(remote, '198.51.100.7')).toBe(client);
  });

  it.each([
    ['198.51.100.7', '198.51.100.7'],
    ['198.51.100.7:1111', '198.51.100.7'],
    ['"198.51.100.7:1111"', '198.51.100.7'],
    ['  198.51.100.7  ', '198.51.100.7'],
    ['198.51.100.7,', '198.51.100.7'],
    [', ,198.51.100.7 , ', '198.51.100.7'],
    ['::ffff:198.51.100.7', '198.51.100.7'],
    ['[::ffff:198.51.100.7]:443', '198.51.100.7'],
    ['1.1.1.1, 198.51.100.7', '198.51.100.7'],
    ['1.1.1.1, 198.51.100.7:80, 192.168.3.4:99', '198.51.100.7'],
    ['198.51.100.7, [2001:db8:ffff::1]:443, "192.168.3.4"', '198.51.100.7'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::1]', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::1]:443', '2001:db8:1:2::/64'],
    ['"[2001:db8:1:2::1]"', '2001:db8:1:2::/64'],
    ['"[2001:db8:1:2:9::9]:443"', '2001:db8:1:2::/64'],
    // All are proxies, so the first one is the client.
    ['192.168.0.9, 192.168.0.8', '192.168.0.9'],
    ['192.168.0.91', '192.168.0.91'],
    [',192.168.0.91', '192.168.0.91'],
  ])('is what a trusted proxy forwarded: %s', (forwarded, client) => {
    for (const proxy of ['10.0.0.1', '::ffff:10.0.0.1', '192.168.77.1', '::1', '2001:db8:ffff:1::2']) {
      expect(clientOf(proxy, forwarded)).toBe(client);
    }
  });

  it.each([
    '',
    'unknown',
    '_hidden',
    '198.51.100.7:',
    '198.51.100.7:port',
    '198.51.100.7:123456',
    '198.51.100.256',
    '198.51.100',
    '0198.51.100.7',
    '[198.51.100.7]',
    'x198.51.100.7',
    '198.51.100.7x',
    '198.51.100.7:80x',
    '[2001:db8::1',
    'x[2001:db8::1]',
    '[2001:db8::1]x',
    '[2001:db8::1]:443x',
    '[2001:db8::1]:port',
    '[2001:db8::1]:123456',
    '2001:db8::1]:443',
    '[]:443',
    'fe80::1%eth0',
    '[fe80::1%eth0]:443',
    // With one quote, whose removal with a digit would leave an address.
    '"198.51.100.77',
    '1198.51.100.7"',
    '"2001:db8::12',
    '12001:db8::1"',
    '"',
    '""',
    '""198.51.100.7""',
    'for=198.51.100.7',
    '1.1.1.1; 198.51.100.7',
    '1.1.1.1, garbage',
    'x'.repeat(10_000),
  ])('is the proxy itself where it forwards no address: %s', (forwarded) => {
    expect(clientOf('10.0.0.1', forwarded)).toBe('10.0.0.1');
  });

  it('is the proxy that forwarded what is no address', () => {
    expect(clientOf('10.0.0.1', '1.1.1.1, garbage, 192.168.0.8')).toBe('192.168.0.8');
  });

  // Holds limit.proxies.
  it('is found within few steps, however many addresses there are', () => {
    const proxies = Array.from({ length: 1000 }, (_, i) => `192.168.1.${i % 250}`);
    expect(clientOf('10.0.0.1', ['198.51.100.7', ...proxies].join(', '))).toBe('192.168.1.234');
  });

  it.each([
    [15, '198.51.100.7'],
    [16, '10.0.0.1'],
  ])('is looked for behind %i empty elements: %s', (empty, client) => {
    expect(clientOf('10.0.0.1', `198.51.100.7${','.repeat(empty)}`)).toBe(client);
  });

  it.each([
    ['127.1', '127.0.0.1'],
    ['::ffff:10.9.8.7', '10.9.8.7'],
    ['10.9.8.7/24', '10.9.8.200'],
    ['2001:DB8::0/32', '2001:db8:5::1'],
  ])('is forwarded by a proxy that is named as %s', (proxy, remote) => {
    expect(clientOf(remote, '198.51.100.7', new ClientAddresses([proxy]))).toBe('198.51.100.7');
  });

  it('is remembered for 4096 addresses, then all are forgotten', () => {
    const from = new ClientAddresses([]);
    const sizes = Array.from({ length: 4098 }, (_, i) => {
      // Each comes twice, and is remembered once.
      for (let time = 0; time < 2; time++) clientOf(`10.1.${i >> 8}.${i & 255}`, undefined, from);
      return from['clients'].size;
    });
    expect([sizes[0], sizes[1], ...sizes.slice(4094)]).toEqual([1, 2, 4095, 4096, 1, 2]);
  });

  it('keeps nothing of the field that it was forwarded in', () => {
    setFlagsFromString('--expose_gc');
    const collect = runInNewContext('gc') as () => void;
    const client = (i: number): string => {
      const address = `198.151.${100 + Math.floor(i / 100)}.${100 + (i % 100)}`;
      return clientOf('10.0.0.1', Buffer.from(`${'x'.repeat(15_000)}, ${address}`).toString());
    };
    collect();
    const before = process.memoryUsage().heapUsed;
    const kept = Array.from({ length: 4000 }, (_, i) => client(i));
    collect();
    const bytes = (process.memoryUsage().heapUsed - before) / kept.length;
    expect(kept[3999]).toBe('198.151.139.199');
    expect(bytes).toBeLessThan(5000);
  });
});
