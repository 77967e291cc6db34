import { Controller, Get, Header } from '@nestjs/common';
import { SkipThrottle } from '@nestjs/throttler';
import { HealthService } from './health.service.js';

interface Healthy {
  message: string;
  status: number;
}

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
    await this.health.checkReady();
    return { message: 'ready', status: 200 };
  }
}
