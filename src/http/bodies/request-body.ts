import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { ClientAddresses } from '../connections/client-address.js';
import { bodyFailure } from './body-failure.js';
import { GrowingBuffer } from './growing-buffer.js';
import { HttpError } from '../http.errors.js';
import type { HttpErrorCode } from '../http.errors.js';
import type { SharedBudget } from '../shared-budget.js';
import type { Turns } from '../turns.js';

/** Bodies up to this size are parsed at once. */
const SMALL_BYTES = 16 * 1024;

const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i;

export interface BodyLimits {
  /** The most bytes of one body. */
  readonly maxBytes: number;
  /** Bytes of memory for all bodies that are not complete, and for large ones that wait for their turn. */
  readonly budget: SharedBudget;
  /** Tells which client's share of the budget a body is counted to. */
  readonly addresses: ClientAddresses;
  /** Tells when a large body may be parsed. */
  readonly turns: Pick<Turns, 'take'>;
}

/** The body of a request. It is read only when the controller's method needs it. */
export class RequestBody {
  /** The SHA-256 of the bytes, once they are read. Only a request with an `Idempotency-Key` needs it. */
  digest: Buffer | undefined;

  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly limits: BodyLimits,
  ) {}

  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }

  /**
   * Reads the whole body, of any media type. A large one is returned when it may be parsed.
   * @throws {HttpError} BODY_TOO_LARGE; TOO_BUSY when incomplete and waiting bodies hold too much memory;
   * MALFORMED_REQUEST when the client disconnects before the end; or the reason why the body broke off.
   */
  async read(): Promise<Buffer> {
    const failure = bodyFailure(this.request);
    if (failure) throw failure;
    const { expect } = this.headers;
    if (expect !== undefined && this.request.httpVersion === '1.1' && CONTINUE.test(expect)) {
      this.response.writeContinue();
    }
    const body = await this.gather();
    if (body.length > SMALL_BYTES) await this.waitForTurn(body.length);
    if (this.headers['idempotency-key'] !== undefined) {
      this.digest = createHash('sha256').update(body).digest();
    }
    return body;
  }

  private async waitForTurn(bytes: number): Promise<void> {
    const { budget, addresses, turns } = this.limits;
    const client = addresses.of(this.request);
    if (!budget.take(client, bytes)) throw new HttpError('TOO_BUSY');
    await turns.take(client);
    budget.give(client, bytes);
  }

  private gather(): Promise<Buffer> {
    const raw = this.request;
    const { maxBytes, budget, addresses } = this.limits;
    const declared = Number(raw.headers['content-length'] ?? Number.NaN);
    return new Promise((resolve, reject) => {
      let body: GrowingBuffer | undefined;
      let client = '';
      let held = 0;
      const hold = (bytes: number): boolean => {
        if (bytes === 0) return true;
        client ||= addresses.of(raw);
        if (!budget.take(client, bytes)) return false;
        held += bytes;
        return true;
      };
      const stop = (): void => {
        raw.off('data', onData);
        if (held > 0) budget.give(client, held);
        held = 0;
      };
      const refuse = (code: HttpErrorCode, fields?: Record<string, string>): void => {
        stop();
        reject(new HttpError(code, fields));
      };
      const onData = (chunk: Buffer): void => {
        const bytes = (body?.length ?? 0) + chunk.length;
        // A body that arrives in one chunk, as most do, is not counted in the budget.
        const growth = body ? body.growthFor(chunk.length) : chunk.length === declared ? 0 : chunk.length;
        if (bytes > maxBytes) refuse('BODY_TOO_LARGE', { Connection: 'close' });
        else if (!hold(growth)) refuse('TOO_BUSY');
        else if (body) body.add(chunk);
        else body = new GrowingBuffer(chunk, declared || maxBytes);
      };
      raw.on('data', onData);
      raw.on('end', () => {
        stop();
        resolve(body?.bytes() ?? Buffer.alloc(0));
      });
      raw.on('error', (error) => {
        stop();
        reject(error instanceof HttpError ? error : new HttpError('MALFORMED_REQUEST'));
      });
      // Node emits `close` for every request in the end, complete or not.
      raw.on('close', () => {
        if (!raw.readableEnded) refuse('MALFORMED_REQUEST');
      });
    });
  }
}
