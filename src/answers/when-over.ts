import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** For each connection, the callbacks to call when it ends. */
const callbacksOf = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls back once, when the response has been sent or its connection has ended. When a connection ends, Node emits
 * `close` on the response that it is sending, but not on the responses pipelined behind it.
 */
export function whenOver(response: ServerResponse, callback: () => void): void {
  const callbacks = callbacksFor(response.req.socket);
  const end = (): void => {
    if (callbacks.delete(end)) callback();
  };
  callbacks.add(end);
  response.once('close', end);
}

export function isOver(response: ServerResponse): boolean {
  return response.closed || response.req.socket.destroyed;
}

/** One listener for each connection, however many responses are pipelined on it. */
function callbacksFor(socket: Socket): Set<() => void> {
  const known = callbacksOf.get(socket);
  if (known) return known;
  const callbacks = new Set<() => void>();
  callbacksOf.set(socket, callbacks);
  socket.once('close', () => {
    for (const callback of callbacks) callback();
  });
  return callbacks;
}
