import { beforeEach, describe, expect, it } from 'vitest';
import { PacketFramer, TarantoolProtocolError } from './packet-framer.js';

const greeting = Buffer.alloc(128, 'g');

function packet(bytes: number, fill = 7): Buffer {
  const whole = Buffer.alloc(5 + bytes, fill);
  whole[0] = 0xce;
  whole.writeUInt32BE(bytes, 1);
  return whole;
}

describe('PacketFramer', () => {
  let delivered: Buffer[];
  let framer: PacketFramer;

  beforeEach(() => {
    delivered = [];
    framer = new PacketFramer((whole) => delivered.push(whole));
  });

  it('delivers the greeting and each packet whole, wherever the stream is split in two', () => {
    const packets = [greeting, packet(1), packet(300), packet(2)];
    const stream = Buffer.concat(packets);
    for (let at = 0; at <= stream.length; at++) {
      delivered = [];
      framer = new PacketFramer((whole) => delivered.push(whole));
      framer.push(stream.subarray(0, at));
      framer.push(stream.subarray(at));
      expect(delivered).toEqual(packets);
    }
  });

  it('delivers them byte by byte', () => {
    const packets = [greeting, packet(1), packet(300), packet(2)];
    for (const byte of Buffer.concat(packets)) framer.push(Buffer.of(byte));
    expect(delivered).toEqual(packets);
  });

  it('does not copy a packet that arrives whole', () => {
    const chunk = Buffer.concat([greeting, packet(10)]);
    framer.push(chunk);
    expect(delivered.map((whole) => whole.buffer)).toEqual([chunk.buffer, chunk.buffer]);
  });

  it('assembles a packet of thousands of pieces in time that grows with its size only', () => {
    framer.push(greeting);
    const large = packet(32 * 1024 * 1024);
    const startedAt = performance.now();
    for (let at = 0; at < large.length; at += 1024) framer.push(large.subarray(at, at + 1024));
    // If each piece caused a copy of all before it, 500 GB would be copied.
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(delivered[1]?.equals(large)).toBe(true);
  });

  it.each([
    ['not its length', Buffer.of(0x82)],
    ['a length of zero', packet(0)],
    ['a length over the limit', Buffer.of(0xce, 0xff, 0xff, 0xff, 0xff)],
  ])('refuses a packet that starts with %s, whole or split', (_, bytes) => {
    framer.push(greeting);
    expect(() => framer.push(bytes)).toThrow(TarantoolProtocolError);

    const byByte = new PacketFramer((whole) => delivered.push(whole));
    byByte.push(greeting);
    expect(() => {
      for (const byte of bytes) byByte.push(Buffer.of(byte));
    }).toThrow(TarantoolProtocolError);
  });
});
