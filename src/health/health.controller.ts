import { Controller, Get, Header } from '@nestjs/common';
import { SkipThrottle } from '@nestjs/throttler';
import { HttpError } from '../http/http.errors.js';
import { HealthService } from './health.service.js';

interface Healthy {
  message: string;
  status: number;
}

const REFUSALS = { 'few descriptors': 'TOO_BUSY', stopping: 'SHUTTING_DOWN' } as const;

/** For orchestrators and load balancers: outside `/kv`, so that no key is shadowed, and not counted against any rate. */
@Controller('health')
@SkipThrottle()
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get('live')
  @Header('Cache-Control', 'no-store')
  live(): Healthy {
    return { message: 'live', status: 200 };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  async ready(): Promise<Healthy> {
    const readiness = await this.health.readiness();
    if (readiness !== 'ready') throw new HttpError(REFUSALS[readiness]);
    return { message: 'ready', status: 200 };
  }
}
