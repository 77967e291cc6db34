import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Long enough that the other side sees two chunks and not one. */
const GAP_MS = 2;

/** Splits a chunk of the server into the pieces that the client receives, one by one. */
export type Tamper = (chunk: Buffer) => Buffer[];

export const splitAt =
  (at: number): Tamper =>
  (chunk) => [chunk.subarray(0, at), chunk.subarray(at)];

export const repeat: Tamper = (chunk) => [chunk, chunk];

/** Sends the first bytes of the server's next chunk, and then ends the connection. */
interface Drop {
  afterBytes: number;
}

/** A bad network between a client and a server on a Unix socket. */
export class TcpProxy {
  /** When each connection was accepted, by `performance.now()`. */
  readonly acceptedAt: number[] = [];
  /** Changes the bytes that the server sends. */
  tamper: Tamper | undefined;
  private drop: Drop | undefined;
  private isFrozen = false;
  private readonly pairs = new Map<Socket, Socket>();

  private constructor(
    private readonly server: Server,
    private readonly upstreamPath: string,
  ) {
    server.on('connection', (client) => this.accept(client));
  }

  static async start(upstreamPath: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(createServer(), upstreamPath);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends a connection in the middle of the server's next bytes. */
  dropInNextAnswer(afterBytes: number): void {
    this.drop = { afterBytes };
  }

  dropAll(): void {
    for (const [client, upstream] of this.pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  /** Lets nothing pass in either direction. Connections, new ones too, stay open. */
  freeze(): void {
    this.isFrozen = true;
    for (const pair of this.pairs) for (const socket of pair) socket.pause();
  }

  thaw(): void {
    this.isFrozen = false;
    for (const pair of this.pairs) for (const socket of pair) socket.resume();
  }

  /** Sends bytes that the server never sent. */
  inject(bytes: Uint8Array): void {
    for (const client of this.pairs.keys()) client.write(bytes);
  }

  async stop(): Promise<void> {
    this.dropAll();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    this.acceptedAt.push(performance.now());
    const upstream = connect(this.upstreamPath);
    this.pairs.set(client, upstream);
    client.setNoDelay();
    let passing = Promise.resolve();
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk: Buffer) => (passing = passing.then(() => this.pass(chunk, client))));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => {
        other.destroy();
        this.pairs.delete(client);
      });
    }
    if (this.isFrozen) {
      client.pause();
      upstream.pause();
    }
  }

  private async pass(chunk: Buffer, client: Socket): Promise<void> {
    const { drop, tamper } = this;
    if (drop !== undefined) {
      this.drop = undefined;
      client.write(chunk.subarray(0, drop.afterBytes), () => client.destroy());
      return;
    }
    if (tamper === undefined) {
      client.write(chunk);
      return;
    }
    for (const piece of tamper(chunk)) {
      if (piece.length === 0) continue;
      client.write(piece);
      await delay(GAP_MS);
    }
  }
}
