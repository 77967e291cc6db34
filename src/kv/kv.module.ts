import { Module } from '@nestjs/common';
import { ThrottlingModule } from '../throttling/throttling.module.js';
import { AwaitedChange } from './awaited-change.js';
import { KvController } from './kv.controller.js';
import { KvService } from './kv.service.js';
import { TarantoolRepository } from './tarantool.repository.js';

@Module({
  imports: [ThrottlingModule],
  controllers: [KvController],
  providers: [AwaitedChange, KvService, TarantoolRepository],
  exports: [KvService],
})
export class KvModule {}
