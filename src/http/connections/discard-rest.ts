import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/**
 * How much of an unwanted body is read and discarded after the answer, and for how long. Then the connection is
 * closed.
 */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;
const MAX_DISCARD_MS = 30_000;
/** Where nothing arrives for this long, the connection is closed sooner. */
const MAX_SILENCE_MS = 5000;
const CHECK_MS = 100;

/**
 * Reads on after a request was answered before its body had arrived. If the connection were closed at once, it would
 * be reset, and the client would lose the answer (RFC 9112 §9.6). When the body has ended, the connection stays open,
 * unless the answer has half-closed it.
 */
export function discardRest(request: IncomingMessage, socket: Socket): void {
  const start = performance.now();
  const { bytesRead } = socket;
  let progress = { bytes: bytesRead, at: start };
  const check = setInterval(() => {
    const now = performance.now();
    if (socket.bytesRead > progress.bytes) progress = { bytes: socket.bytesRead, at: now };
    const isSilent = now - progress.at > MAX_SILENCE_MS;
    if (isSilent || now - start > MAX_DISCARD_MS || progress.bytes - bytesRead > MAX_DISCARDED_BYTES) {
      socket.destroy();
    }
  }, CHECK_MS);
  const stop = (): void => clearInterval(check);
  // Node does not tell an answered request that its connection has ended. The timer would keep its body for ever.
  socket.once('close', stop);
  request.once('close', () => {
    stop();
    socket.off('close', stop);
    if (!socket.writable) Socket.prototype.destroySoon.call(socket);
  });
  request.resume();
}
