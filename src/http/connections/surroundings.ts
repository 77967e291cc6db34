import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pacing } from './paced-input.js';
import type { WrittenAnswers } from './written-answers.js';

/** What all connections to one server share. */
export interface Surroundings extends Pacing {
  readonly written: WrittenAnswers;
  handle(request: IncomingMessage, response: ServerResponse<IncomingMessage>): void;
  /** Called when a client has sent a body in chunks, or many short requests at once. */
  onDense(client: string): void;
}
