import type { FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { bodyFailure } from './body-failure.js';
import { HttpError } from './http.errors.js';

/**
 * Hands bodies on unread, so that they are read and parsed only after the guards: a throttled client costs no parsing.
 * Only what a request declares of its size is looked at before.
 */
export function deferBodies(fastify: FastifyInstance, maxBodyBytes: number): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (_request, payload: IncomingMessage, done) => {
    if (Number(payload.headers['content-length']) > maxBodyBytes) {
      discardRest(payload, maxBodyBytes);
      done(new HttpError('BODY_TOO_LARGE'));
    } else done(null, payload);
  });
}

/**
 * The whole body, of whatever media type.
 * @throws {HttpError} BODY_TOO_LARGE beyond `maxBytes`, MALFORMED_REQUEST when the client goes away in the middle, and why the body
 * broke off.
 */
export function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const failure = bodyFailure(request);
  if (failure) return Promise.reject(failure);
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else {
        request.off('data', onData);
        discardRest(request, maxBytes);
        reject(new HttpError('BODY_TOO_LARGE'));
      }
    };
    request.on('data', onData);
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    // Every request is closed in the end, whole or not.
    request.on('close', () => {
      if (!request.readableEnded) reject(new HttpError('MALFORMED_REQUEST'));
    });
  });
}

/**
 * Lets a client that is still sending read its refusal: a connection closed at once would be reset, and the answer lost
 * (RFC 9112 §9.6). What is thrown away is bounded as well.
 */
function discardRest(request: IncomingMessage, maxBytes: number): void {
  let left = 4 * maxBytes;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
}
