import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { MetricsController } from './metrics.controller.js';
import { MetricsService } from './metrics.service.js';
import { ProcessMetrics, SERVER_FIGURES } from './process-metrics.js';
import type { ServerFigures } from './process-metrics.js';
import { StoreMetrics } from './store-metrics.repository.js';

/** Where metrics are switched off, nothing of it is there, nobody listens to the channels, and it costs nothing. */
@Module({})
export class MetricsModule {
  static with(isOn: boolean, server: ServerFigures): DynamicModule {
    if (!isOn) return { module: MetricsModule };
    return {
      module: MetricsModule,
      controllers: [MetricsController],
      providers: [
        MetricsService,
        ProcessMetrics,
        StoreMetrics,
        { provide: SERVER_FIGURES, useValue: server },
      ],
    };
  }
}
