import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http';
import { Server as TcpServer } from 'node:net';
import type { Socket } from 'node:net';
import { isParserError, parserErrorCode } from './client-error.js';
import { Connection } from './connection.js';
import type { ConnectionLimit } from './connection-limit.js';
import type { WrittenAnswers } from './written-answers.js';

/** How often connections are looked at while they are drained. */
const SWEEP_MS = 50;

type Options = ServerOptions<typeof IncomingMessage, typeof ServerResponse<IncomingMessage>>;

const connectionsOf = new WeakMap<Server, Connections>();

/** All connections of the servers that one application listens with. */
export class Connections {
  private readonly open = new Map<Socket, Connection>();
  private readonly servers: Server[] = [];

  constructor(
    private readonly limit: ConnectionLimit,
    private readonly written: WrittenAnswers,
  ) {}

  static of(server: Server): Connections {
    const connections = connectionsOf.get(server);
    if (!connections) throw new TypeError('this server was not made here');
    return connections;
  }

  /** A server whose requests come to `handle` in the order that RFC 9112 §9.3.2 asks for. */
  createServer(handle: RequestListener, options: Options): Server {
    const server = createServer(options) as Server;
    // Without it a client that has said all (and half-closes) would get no answer.
    Object.assign(server, { httpAllowHalfOpen: true });
    // Node's own listener would parse what comes, and so it is called only for connections that are served.
    const serve = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      if (!this.limit.admit(socket)) return;
      for (const listener of serve) listener.call(server, socket);
      this.open.set(socket, new Connection(socket, handle, this.written));
      socket.on('close', () => this.open.delete(socket));
    });
    const onRequest: RequestListener = (request, response) => this.open.get(request.socket)?.add(response);
    server.on('request', onRequest);
    // An expectation that we do not know is ignored (RFC 9110 §10.1.1).
    server.on('checkExpectation', onRequest);
    // Whoever reads the body says that it may come: only after all that could refuse it before.
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
   * Stops listening, has every client told by its next answer that its connection is closed, and closes connections on which nothing
   * happens for `quietMs`. A client is told a little later: it connects again at once, and has to be refused then. While another
   * process still has the same socket open, it would be taken and then reset.
   * @returns when no connection is left.
   */
  async drain(quietMs: number): Promise<void> {
    // What has just connected is taken first: it would be reset.
    await new Promise(setImmediate);
    // Node's HTTP server would close connections between two requests, whose next one may be on its way.
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

  private refuse(error: NodeJS.ErrnoException, socket: Socket): void {
    const connection = this.open.get(socket);
    // What follows a request that closes the connection is not looked at (RFC 9112 §9.6).
    if (error.code === 'HPE_CLOSED_CONNECTION') connection?.fail();
    else if (isParserError(error)) connection?.fail(parserErrorCode(error));
    else socket.destroy();
  }
}
