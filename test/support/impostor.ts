import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { readAnswerHeader } from '../../src/tarantool/iproto.js';
import { MsgpackReader } from '../../src/msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../../src/msgpack/msgpack-writer.js';

const GREETING = `${'Tarantool 2.6.0 (Binary)'.padEnd(63)}\n${Buffer.alloc(32, 1).toString('base64').padEnd(63)}\n`;
const AUTH = 7;

/** The code of an answer, and its body, which is a map. */
type Answer = readonly [number, Buffer];

/** `{0x30: [text]}`, the result of a function. */
export const returned = (text: string): Answer => [
  0,
  new MsgpackWriter().mapHeader(1).integer(0x30).arrayHeader(1).string(text).bytes(),
];

/** `{0x31: message}`, with the number of an error. */
export const failed = (errorNumber: number, message: string): Answer => [
  0x8000 | errorNumber,
  new MsgpackWriter().mapHeader(1).integer(0x31).string(message).bytes(),
];

/**
 * Speaks Tarantool's protocol, accepts every login, gives the same answer to every call, and records what it
 * receives.
 */
export class Impostor {
  /** All bytes that arrived after the logins. */
  received = Buffer.alloc(0);
  calls = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly answer: Answer,
  ) {
    server.on('connection', (socket) => this.serve(socket));
  }

  /** @throws when the port is taken. */
  static async start(answer: Answer, port = 0): Promise<Impostor> {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new Impostor(server, answer);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write(GREETING);
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 5 && pending.length >= 5 + lengthOf(pending)) {
        const packet = pending.subarray(0, 5 + lengthOf(pending));
        pending = pending.subarray(packet.length);
        this.take(socket, packet);
      }
    });
  }

  private take(socket: Socket, packet: Buffer): void {
    const { code, sync } = readAnswerHeader(new MsgpackReader(packet, 5));
    if (code !== AUTH) {
      this.calls++;
      this.received = Buffer.concat([this.received, packet]);
    }
    const [status, body]: Answer = code === AUTH ? [0, Buffer.of(0x80)] : this.answer;
    const header = new MsgpackWriter().mapHeader(2).integer(0).integer(status).integer(1).integer(sync);
    const answer = Buffer.concat([header.bytes(), body]);
    const length = Buffer.of(0xce, 0, 0, 0, 0);
    length.writeUInt32BE(answer.length, 1);
    socket.write(Buffer.concat([length, answer]));
  }
}

/** The prefix that our client writes before each packet: 0xce and four bytes. */
function lengthOf(packet: Buffer): number {
  return packet.readUInt32BE(1);
}
