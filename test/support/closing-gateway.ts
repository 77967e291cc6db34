import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { send } from './send.js';

/**
 * Acts as a service that dies after a write and before its answer: the first write is carried out, and then the
 * connection is closed.
 */
export class ClosingGateway {
  /** How many writes have arrived. */
  writes = 0;

  private constructor(private readonly server: Server) {}

  static async start(upstreamPort: number): Promise<ClosingGateway> {
    const gateway = new ClosingGateway(
      createServer((request, response) => {
        const { method = '', url = '' } = request;
        void request.toArray().then(async (chunks: Buffer[]) => {
          const text = Buffer.concat(chunks).toString();
          const body = text === '' ? undefined : (JSON.parse(text) as unknown);
          const answer = await send(upstreamPort, method, url, { body });
          if (method !== 'GET' && ++gateway.writes === 1) {
            request.socket.destroy();
            return;
          }
          response.writeHead(answer.status, {
            'Content-Type': 'application/json',
            'Cache-Control': 'no-cache',
          });
          response.end(JSON.stringify(answer.body));
        });
      }),
    );
    gateway.server.listen(0, '127.0.0.1');
    await once(gateway.server, 'listening');
    return gateway;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}
