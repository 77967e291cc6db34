import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** For each connection, the callbacks to call when it ends, and when the client will send nothing more. */
const callbacksOf = {
  close: new WeakMap<Socket, Set<() => void>>(),
  end: new WeakMap<Socket, Set<() => void>>(),
};

/**
 * Calls back once, when the response has been sent or its connection has ended. When a connection ends, Node emits
 * `close` on the response that it is sending, but not on the responses pipelined behind it.
 */
export function whenOver(response: ServerResponse, callback: () => void): void {
  const callbacks = callbacksFor(response.req.socket, 'close');
  const end = (): void => {
    if (callbacks.delete(end)) callback();
  };
  callbacks.add(end);
  response.once('close', end);
}

/**
 * For answers that wait for something. Calls back when nobody waits for the answer any more: it has been sent, its
 * connection has ended, or the client has closed its side. Nobody can tell then whether the client still reads, so it
 * does not wait any longer. It may call back twice.
 */
export function whenGone(response: ServerResponse, callback: () => void): void {
  const { socket } = response.req;
  if (isOver(response) || socket.readableEnded) {
    callback();
    return;
  }
  const leaving = callbacksFor(socket, 'end').add(callback);
  whenOver(response, () => {
    leaving.delete(callback);
    callback();
  });
}

export function isOver(response: ServerResponse): boolean {
  return response.closed || response.req.socket.destroyed;
}

/** One listener for each connection, however many responses are pipelined on it. */
function callbacksFor(socket: Socket, event: 'close' | 'end'): Set<() => void> {
  const known = callbacksOf[event].get(socket);
  if (known) return known;
  const callbacks = new Set<() => void>();
  callbacksOf[event].set(socket, callbacks);
  socket.once(event, () => {
    for (const callback of callbacks) callback();
  });
  return callbacks;
}
