import { Body, Controller, HttpCode, HttpStatus, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { accessOf } from '../access/access.js';
import { Answers } from '../answers/answers.js';
import type { LimitsConfig } from '../config/config.js';
import { LIMITS } from '../config/config.tokens.js';
import { checkKey } from '../entries/key.js';
import { ClientRate } from '../throttling/client-rate.js';
import { done } from '../http/envelope.js';
import { refuseIdempotencyKey } from '../http/idempotency-key.js';
import { retryOf, showReplay } from '../http/retry.js';
import { BatchService } from './batch.service.js';
import { parseComparison } from './comparison.js';
import { BatchDto } from './dto/batch.dto.js';
import { TxnDto } from './dto/txn.dto.js';
import { parseOperation, rightOf } from './operation.js';
import { renderResult } from './render-result.js';
import type { Result } from './result.js';
import { TxnRepository } from './txn.repository.js';

/** Many operations in one request. Each operation counts as one request to the client's rate. */
@Controller()
export class BatchController {
  private readonly maxKeyBytes: number;

  constructor(
    private readonly batches: BatchService,
    private readonly transactions: TxnRepository,
    private readonly rate: ClientRate,
    private readonly answers: Answers,
    @Inject(LIMITS) limits: LimitsConfig,
  ) {
    this.maxKeyBytes = limits.maxKeyBytes;
  }

  @Post('batch')
  @HttpCode(HttpStatus.OK)
  async batch(
    @Body() body: BatchDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    refuseIdempotencyKey(request.raw);
    const operations = body.operations.map(parseOperation);
    await this.rate.chargeOperations(request, reply, operations.length);
    const room = this.answers.room(reply);
    const results = await this.batches.run(operations, room, accessOf(request));
    return room.settle(done('processed', resultsMember(results)));
  }

  @Post('txn')
  @HttpCode(HttpStatus.OK)
  async txn(
    @Body() body: TxnDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const retry = retryOf(request);
    const compare = (body.compare ?? []).map(parseComparison);
    const success = body.success.map(parseOperation);
    const failure = body.failure?.map(parseOperation);
    for (const { key } of [...compare, ...success, ...(failure ?? [])]) checkKey(key, this.maxKeyBytes);
    const count = compare.length + success.length + (failure?.length ?? 0);
    await this.rate.chargeOperations(request, reply, count);
    const access = accessOf(request);
    for (const { key } of compare) access.require('read', key);
    for (const { op, key } of [...success, ...(failure ?? [])]) access.require(rightOf(op), key);

    const room = this.answers.room(reply);
    const committed = await this.transactions.run({ compare, success, failure, retry }, room);
    showReplay(reply, committed);
    const { revision, results } = committed;
    return room.settle(done('committed', `,"revision":"${revision}"${resultsMember(results)}`));
  }
}

function resultsMember(results: readonly Result[]): string {
  return `,"results":[${results.map(renderResult).join(',')}]`;
}
