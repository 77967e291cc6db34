import { Controller, Delete, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { accessOf } from '../access/access.js';
import { isOver } from '../answers/when-over.js';
import { KvError } from '../entries/kv.errors.js';
import { done } from '../http/envelope.js';
import { refuseIdempotencyKey } from '../http/idempotency-key.js';
import { checkEscapes, parseCount, parseText } from '../http/query.js';
import { ClientRate } from '../throttling/client-rate.js';
import { RemovalService } from './removal.service.js';

const DEFAULT_LIMIT = 1000;
const MAX_LIMIT = 10_000;
/** The longest key that MAX_KEY_BYTES allows. */
const MAX_PREFIX_BYTES = 4096;
const PARAMETERS = new Set(['prefix', 'limit']);

/** To the rate, each removed entry counts as so many bytes: about what its removal writes. */
const REMOVAL_BYTES = 1024;

@Controller('kv')
export class RemovalController {
  constructor(
    private readonly removal: RemovalService,
    private readonly rate: ClientRate,
  ) {}

  @Delete()
  async remove(
    @Req() request: FastifyRequest<{ Querystring: Record<string, unknown> }>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    checkEscapes(request.url);
    const { query, headers } = request;
    if (Object.keys(query).some((name) => !PARAMETERS.has(name))) throw new KvError('INVALID_QUERY');
    const prefix = parseText(query, 'prefix');
    if (!prefix || Buffer.byteLength(prefix) > MAX_PREFIX_BYTES) throw new KvError('INVALID_QUERY');
    const limit = parseCount(query, 'limit', MAX_LIMIT) ?? DEFAULT_LIMIT;
    const access = accessOf(request);
    access.require('write', prefix);
    refuseIdempotencyKey(request.raw);
    // It is about many entries, so there is no version that it could be compared with.
    if (headers['if-match'] !== undefined || headers['if-none-match'] !== undefined) {
      throw new KvError('INVALID_PRECONDITION');
    }
    const mayGoOn = (): boolean => access.isUsable && !isOver(reply.raw);
    const { deleted, remaining } = await this.removal.remove(prefix, limit, mayGoOn);
    this.rate.owe(request, deleted * REMOVAL_BYTES);
    return done('deleted', `,"deleted":${deleted},"remaining":${remaining}`);
  }
}
