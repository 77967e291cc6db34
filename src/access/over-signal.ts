import type { ServerResponse } from 'node:http';
import { whenGone } from '../answers/when-over.js';
import type { Access } from './access.js';

/** For answers that wait for something. Aborted when nobody waits for the answer any more, or may get it. */
export function overSignal(response: ServerResponse, access: Access): AbortSignal {
  const over = new AbortController();
  const callOff = access.onEnd(() => over.abort());
  whenGone(response, () => {
    callOff();
    over.abort();
  });
  return over.signal;
}
