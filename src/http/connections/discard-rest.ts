import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** Of a body that is not wanted so much is read on after the answer, for so long. Then the connection is closed. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;
const MAX_DISCARD_MS = 30_000;
/** Without anything that comes it is closed sooner. */
const MAX_SILENCE_MS = 5000;
const CHECK_MS = 100;

/**
 * Reads on after a request was answered before its body had arrived. A connection closed at once would be reset, and the
 * answer lost with all that the client has not read yet (RFC 9112 §9.6). When the body has ended, the connection lives on, unless
 * its answer has half-closed it.
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
  const close = (): void => Socket.prototype.destroySoon.call(socket);
  socket.once('end', close);
  request.once('close', () => {
    clearInterval(check);
    socket.off('end', close);
    if (!socket.writable) close();
  });
  request.resume();
}
