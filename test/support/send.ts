import { request } from 'node:http';
import type { Agent, IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';

export interface SentAnswer {
  readonly status: number;
  readonly fields: IncomingHttpHeaders;
  /** Parsed if it is JSON, otherwise the text. It is uncompressed. */
  readonly body: unknown;
}

interface Options {
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly fields?: Record<string, string>;
  readonly localAddress?: string;
  /** The agent that keeps the connection. Without one, the connection is closed. */
  readonly agent?: Agent;
}

/** Sends one request to 127.0.0.1 with the path exactly as it is given. */
export async function send(
  port: number,
  method: string,
  path: string,
  { body, fields, localAddress, agent }: Options = {},
): Promise<SentAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(agent === undefined && { Connection: 'close' }),
    ...(text !== undefined && {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
    }),
    ...fields,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers,
      ...(localAddress !== undefined && { localAddress }),
      ...(agent !== undefined && { agent }),
    });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const { statusCode: status = 0, headers: answered } = incoming;
      incoming
        .toArray()
        .then((chunks: Buffer[]) => {
          const bytes = Buffer.concat(chunks);
          const plain = (answered['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString();
          const isJson = answered['content-type']?.startsWith('application/json') && plain !== '';
          resolve({ status, fields: answered, body: isJson ? (JSON.parse(plain) as unknown) : plain });
        })
        .catch(reject);
    });
    outgoing.end(text);
  });
}
