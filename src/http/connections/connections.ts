import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http';
import { Server as TcpServer } from 'node:net';
import type { Socket } from 'node:net';
import type { ClientAddresses } from './client-address.js';
import { isParserError, parserErrorCode } from './client-error.js';
import { Connection } from './connection.js';
import type { ConnectionLimit } from './connection-limit.js';
import type { Pacing } from './paced-input.js';
import type { WrittenAnswers } from './written-answers.js';

/** How many clients are remembered that have sent what is dense. */
const MAX_REMEMBERED = 4096;

/** How often connections are checked while they are drained. */
const SWEEP_MS = 50;

type Options = ServerOptions<typeof IncomingMessage, typeof ServerResponse<IncomingMessage>>;

const connectionsOf = new WeakMap<Server, Connections>();

/** All connections to the servers of one application. */
export class Connections {
  private readonly open = new Map<Socket, Connection>();
  private readonly servers: Server[] = [];
  /**
   * The clients whose further connections are paced from the start. The others are not, because pacing costs a few
   * percent of the time of a small request.
   */
  private readonly dense = new Set<string>();

  constructor(
    private readonly limit: ConnectionLimit,
    private readonly addresses: ClientAddresses,
    private readonly written: WrittenAnswers,
    private readonly pacing: Pacing,
  ) {}

  static of(server: Server): Connections {
    const connections = connectionsOf.get(server);
    if (!connections) throw new TypeError('this server was not made here');
    return connections;
  }

  /** Creates a server that passes requests to `handle` in the order that RFC 9112 §9.3.2 asks for. */
  createServer(handle: RequestListener, options: Options): Server {
    const server = createServer(options) as Server;
    // Without this option, a client that half-closes after its request would get no answer.
    Object.assign(server, { httpAllowHalfOpen: true });
    // Node's own listener would start to parse at once. It is called only for connections that are served.
    const serve = server.listeners('connection');
    server.removeAllListeners('connection');
    const surroundings = { ...this.pacing, written: this.written, handle, onDense: this.onDense };
    server.on('connection', (socket: Socket) => {
      const client = this.addresses.of({ socket, headers: {} });
      if (!this.limit.admit(socket, client)) return;
      for (const listener of serve) listener.call(server, socket);
      const connection = new Connection(socket, client, surroundings);
      if (this.dense.has(client)) connection.pace();
      this.open.set(socket, connection);
      socket.on('close', () => this.open.delete(socket));
    });
    const onRequest: RequestListener = (request, response) => this.open.get(request.socket)?.add(response);
    server.on('request', onRequest);
    // An unknown expectation is ignored (RFC 9110 §10.1.1).
    server.on('checkExpectation', onRequest);
    // The reader of the body sends 100 Continue, after all that could refuse the request before.
    server.on('checkContinue', onRequest);
    server.on('connect', (_request, socket: Socket) => {
      socket.on('error', () => socket.destroy());
      this.open.get(socket)?.fail('NOT_IMPLEMENTED');
    });
    server.on('clientError', (error, socket) => this.refuse(error, socket as Socket));
    this.servers.push(server);
    connectionsOf.set(server, this);
    return server;
  }

  /**
   * Stops listening, marks the next answer of each client as the last of its connection, and closes connections on
   * which nothing happens for `quietMs`. Clients are told only after listening has stopped, because a client
   * reconnects at once. While another process still has the listening socket open, such a connection would be
   * accepted and then reset.
   * @returns when no connection is left.
   */
  async drain(quietMs: number): Promise<void> {
    // Connections that were just made are accepted first. Otherwise they would be reset.
    await new Promise(setImmediate);
    // Node's HTTP server would also close connections that are idle between two requests, although the next request
    // may be on its way.
    const ends = this.servers.map(
      (server) => new Promise<void>((resolve) => TcpServer.prototype.close.call(server, () => resolve())),
    );
    const leave = setTimeout(() => {
      for (const connection of this.open.values()) connection.leave();
    }, quietMs / 10);
    const sweep = setInterval(() => {
      for (const connection of this.open.values()) connection.closeIfQuiet(quietMs);
    }, SWEEP_MS);
    await Promise.all(ends);
    clearTimeout(leave);
    clearInterval(sweep);
  }

  private readonly onDense = (client: string): void => {
    if (this.dense.size >= MAX_REMEMBERED) this.dense.clear();
    this.dense.add(client);
  };

  private refuse(error: NodeJS.ErrnoException, socket: Socket): void {
    const connection = this.open.get(socket);
    // Bytes behind a request that closes the connection are ignored (RFC 9112 §9.6).
    if (error.code === 'HPE_CLOSED_CONNECTION') connection?.fail();
    else if (isParserError(error)) connection?.fail(parserErrorCode(error));
    else socket.destroy();
  }
}
