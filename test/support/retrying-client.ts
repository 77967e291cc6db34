import { setTimeout as pause } from 'node:timers/promises';
import type { KeyedRequest } from './keyed-requests.js';

const PAUSE_MS = 20;
/** Far longer than the store needs for a start. */
const GIVE_UP_MS = 60_000;

/** All of an answer by which a replay could differ from the first one. */
export interface FullAnswer {
  readonly status: number;
  readonly body: string;
  readonly fields: readonly (string | null)[];
}

interface Attempt {
  readonly answer: FullAnswer;
  readonly isReplay: boolean;
}

/** Sends writes with an Idempotency-Key until they are answered, as the recipe "A safe retry" has it. */
export class RetryingClient {
  attempts = 0;

  constructor(private readonly url: string) {}

  async send(request: KeyedRequest): Promise<Attempt> {
    const until = performance.now() + GIVE_UP_MS;
    while (performance.now() < until) {
      const attempt = await this.attempt(request).catch(() => undefined);
      if (attempt && !isToRepeat(attempt.answer)) return attempt;
      await pause(PAUSE_MS);
    }
    throw new Error(`${request.id} was not answered in time`);
  }

  /** Sends a write that was answered before. Throws where it is not replayed. */
  async replay(request: KeyedRequest): Promise<FullAnswer> {
    const { isReplay, answer } = await this.send(request);
    if (!isReplay) throw new Error(`${request.id} was not replayed: ${answer.status} ${answer.body}`);
    return answer;
  }

  private async attempt({ id, method, path, type, body }: KeyedRequest): Promise<Attempt> {
    this.attempts++;
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: { 'Idempotency-Key': `"${id}"`, ...(body !== undefined && { 'Content-Type': type }) },
      ...(body !== undefined && { body }),
    });
    const { headers, status } = answer;
    const fields = ['etag', 'kv-version', 'kv-expires-at'].map((name) => headers.get(name));
    return {
      answer: { status, body: await answer.text(), fields },
      isReplay: headers.get('idempotency-replayed') === 'true',
    };
  }
}

/** Whether a write was not answered, or lost against others who patched the same entry. */
function isToRepeat({ status, body }: FullAnswer): boolean {
  return status === 503 || status === 504 || (status === 409 && body.includes('conflict, try again'));
}
