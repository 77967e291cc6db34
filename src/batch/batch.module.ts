import { Module } from '@nestjs/common';
import { KvModule } from '../kv/kv.module.js';
import { ThrottlingModule } from '../throttling/throttling.module.js';
import { BatchController } from './batch.controller.js';
import { BatchService } from './batch.service.js';
import { TxnRepository } from './txn.repository.js';

@Module({
  imports: [KvModule, ThrottlingModule],
  controllers: [BatchController],
  providers: [BatchService, TxnRepository],
})
export class BatchModule {}
