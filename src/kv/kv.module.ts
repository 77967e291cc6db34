import { Module } from '@nestjs/common';
import { ThrottlingModule } from '../throttling/throttling.module.js';
import { KvController } from './kv.controller.js';
import { KvService } from './kv.service.js';
import { TarantoolRepository } from './tarantool.repository.js';

@Module({
  imports: [ThrottlingModule],
  controllers: [KvController],
  providers: [KvService, TarantoolRepository],
  exports: [KvService],
})
export class KvModule {}
