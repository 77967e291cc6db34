import { Controller, Get, Header } from '@nestjs/common';
import { SkipThrottle } from '@nestjs/throttler';
import { done } from '../http/envelope.js';
import { PublicRoute } from '../http/public-route.js';
import { HttpError } from '../http/http.errors.js';
import { HealthService } from './health.service.js';

const REFUSALS = { 'few descriptors': 'TOO_BUSY', stopping: 'SHUTTING_DOWN' } as const;

/**
 * For orchestrators and load balancers. The paths lie outside `/kv`, so that they hide no key, and are not counted to
 * any rate. They need no token.
 */
@Controller('health')
@SkipThrottle()
@PublicRoute()
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get('live')
  @Header('Cache-Control', 'no-store')
  live(): string {
    return done('live');
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  async ready(): Promise<string> {
    const readiness = await this.health.readiness();
    if (readiness !== 'ready') throw new HttpError(REFUSALS[readiness]);
    return done('ready');
  }
}
