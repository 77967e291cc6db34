import { Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { OpenFilesWatch } from './open-files.watch.js';

@Module({
  controllers: [HealthController],
  providers: [HealthService, OpenFilesWatch],
})
export class HealthModule {}
