import { Controller, Get, Header, Req, Res } from '@nestjs/common';
import { SkipThrottle } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { accessOf } from '../access/access.js';
import { HttpError } from '../http/http.errors.js';
import { TEXT_FORMAT } from './aggregate.js';
import { MetricsService } from './metrics.service.js';
import { LateError } from './shared-question.js';

/** For Prometheus. It is not counted to any rate, or a service under attack could not be watched. */
@Controller('metrics')
@SkipThrottle()
export class MetricsController {
  constructor(private readonly metrics: MetricsService) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  async read(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const access = accessOf(request);
    access.require('metrics', '');
    const page = await this.metrics.page().catch(refuseLate);
    access.check();
    void reply.header('content-type', TEXT_FORMAT);
    return page;
  }
}

function refuseLate(error: unknown): never {
  throw error instanceof LateError ? new HttpError('TOO_BUSY') : error;
}
