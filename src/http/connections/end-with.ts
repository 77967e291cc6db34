import type { Socket } from 'node:net';

/**
 * How long a connection stays half-closed. Closed at once while its client still sends, it would be reset and the
 * last answer lost (RFC 9112 §9.6).
 */
const LINGER_MS = 1000;

/** Writes the last answer, and closes the connection a little later. */
export function endWith(socket: Socket, lastWords: string): void {
  socket.end(lastWords);
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.on('close', () => clearTimeout(linger));
}
