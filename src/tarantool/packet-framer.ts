/** The length of IPROTO's greeting: two lines of 64 bytes, which the server sends once and without a length. */
const GREETING_BYTES = 128;

/** Each packet starts with its length as a MessagePack uint32, which is how Tarantool always writes it. */
const LENGTH_BYTES = 5;
const UINT32 = 0xce;

const DEFAULT_MAX_PACKET_BYTES = 64 * 1024 * 1024;

/** The server does not speak IPROTO as we know it, so nothing more on this connection can be trusted. */
export class TarantoolProtocolError extends Error {
  override readonly name = 'TarantoolProtocolError';
}

/**
 * Cuts the byte stream of one connection into the greeting and then whole packets, length prefix included, however
 * TCP has split or joined them. A packet that arrives whole is a view of its chunk. Only a packet that arrives in
 * pieces is copied, once.
 */
export class PacketFramer {
  private inGreeting = true;
  private pieces: Buffer[] = [];
  private heldBytes = 0;
  private wantedBytes = 0;

  constructor(
    private readonly deliver: (packet: Buffer) => void,
    private readonly maxPacketBytes = DEFAULT_MAX_PACKET_BYTES,
  ) {}

  /** @throws {TarantoolProtocolError}, and what `deliver` throws. The framer must not be used after that. */
  push(chunk: Buffer): void {
    let at = this.heldBytes > 0 ? this.completeHeld(chunk) : 0;
    while (at < chunk.length) {
      const wanted = this.bytesOfPacket(chunk, at);
      if (wanted > chunk.length - at) {
        this.pieces = [chunk.subarray(at)];
        this.heldBytes = chunk.length - at;
        this.wantedBytes = wanted;
        return;
      }
      this.release(chunk.subarray(at, at + wanted));
      at += wanted;
    }
  }

  /** Adds to the incomplete packet as much of `chunk` as belongs to it. @returns how many bytes that was. */
  private completeHeld(chunk: Buffer): number {
    let at = 0;
    while (this.heldBytes < this.wantedBytes) {
      const taken = Math.min(this.wantedBytes - this.heldBytes, chunk.length - at);
      if (taken === 0) return at;
      this.pieces.push(chunk.subarray(at, at + taken));
      this.heldBytes += taken;
      at += taken;
      if (this.heldBytes === LENGTH_BYTES) {
        this.pieces = [Buffer.concat(this.pieces)];
        this.wantedBytes = this.bytesOfPacket(this.pieces[0] ?? chunk, 0);
      }
    }
    const packet = Buffer.concat(this.pieces, this.heldBytes);
    this.pieces = [];
    this.heldBytes = 0;
    this.release(packet);
    return at;
  }

  private release(packet: Buffer): void {
    this.inGreeting = false;
    this.deliver(packet);
  }

  /** The length of the packet that starts at `at`, or the length of its prefix while the prefix is incomplete. */
  private bytesOfPacket(buffer: Buffer, at: number): number {
    if (this.inGreeting) return GREETING_BYTES;
    if (buffer[at] !== UINT32) throw new TarantoolProtocolError('a packet does not start with its length');
    if (buffer.length - at < LENGTH_BYTES) return LENGTH_BYTES;
    const bytes = buffer.readUInt32BE(at + 1);
    if (bytes === 0) throw new TarantoolProtocolError('an empty packet');
    if (bytes > this.maxPacketBytes)
      throw new TarantoolProtocolError(`a packet of ${bytes} bytes is too large`);
    return LENGTH_BYTES + bytes;
  }
}
