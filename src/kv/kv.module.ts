import { Module } from '@nestjs/common';
import { KvController } from './kv.controller.js';
import { KvService } from './kv.service.js';
import { TarantoolRepository } from './tarantool.repository.js';

@Module({
  controllers: [KvController],
  providers: [KvService, TarantoolRepository],
  exports: [KvService],
})
export class KvModule {}
