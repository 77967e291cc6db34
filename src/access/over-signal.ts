import type { ServerResponse } from 'node:http';
import { goneSignal } from '../answers/when-over.js';
import type { Access } from './access.js';

/** For answers that wait for something. Aborted when nobody waits for the answer any more, or may get it. */
export function overSignal(response: ServerResponse, access: Access): AbortSignal {
  const over = new AbortController();
  const end = (): void => over.abort();
  const callOff = access.onEnd(end);
  const gone = goneSignal(response);
  const leave = (): void => {
    callOff();
    end();
  };
  if (gone.aborted) leave();
  else gone.addEventListener('abort', leave, { once: true });
  return over.signal;
}
