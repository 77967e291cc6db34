import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { type AnswerHeader, callPacket, callTemplate, errorNumber, isSuccess, seekData } from './iproto.js';
import { TarantoolUnprovenError } from './tarantool-client.errors.js';

const NONCE_BYTES = 32;
const SYNC = 0;
/** The same text is defined for Lua in tarantool/kv/proof.lua. */
const CONTEXT = 'tarantool-kv: proof of the store: ';

const REQUEST = callTemplate('kv.prove');
/**
 * ER_NO_SUCH_PROC and ER_ACCESS_DENIED. The second is the answer where a missing function is not granted to the user.
 */
const NO_FUNCTION = [33, 42];

const sha1 = (bytes: string | Buffer): Buffer => createHash('sha1').update(bytes).digest();

/**
 * Asks a server, once on each connection after the login, to prove that it knows what our store keeps of the
 * password.
 */
export class StoreProof {
  private readonly nonce = randomBytes(NONCE_BYTES).toString('hex');

  constructor(private readonly password: string) {}

  request(): Buffer {
    return callPacket(REQUEST, SYNC, new MsgpackWriter().arrayHeader(1).string(this.nonce).bytes());
  }

  /** @throws {TarantoolUnprovenError} unless the answer is the proof. */
  check({ code, sync }: AnswerHeader, body: MsgpackReader): void {
    if (NO_FUNCTION.includes(errorNumber(code)))
      throw new TarantoolUnprovenError(
        'the server has no function kv.prove: was it started with the kv.lua of an older version?',
      );
    if (sync !== SYNC || !isSuccess(code) || !this.isProof(body))
      throw new TarantoolUnprovenError(
        'the server has not proven that it is our store: does something else listen there?',
      );
  }

  private isProof(body: MsgpackReader): boolean {
    seekData(body);
    if (body.arrayHeader() !== 1) return false;
    const expected = createHmac('sha256', sha1(sha1(this.password)))
      .update(CONTEXT + this.nonce)
      .digest();
    const actual = Buffer.from(body.string(), 'hex');
    return actual.length === expected.length && timingSafeEqual(actual, expected);
  }
}
