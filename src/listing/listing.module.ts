import { Module } from '@nestjs/common';
import { ThrottlingModule } from '../throttling/throttling.module.js';
import { ListingController } from './listing.controller.js';
import { ListingRepository } from './listing.repository.js';
import { RemovalController } from './removal.controller.js';
import { RemovalRepository } from './removal.repository.js';
import { RemovalService } from './removal.service.js';

@Module({
  imports: [ThrottlingModule],
  controllers: [ListingController, RemovalController],
  providers: [ListingRepository, RemovalRepository, RemovalService],
  exports: [ListingRepository],
})
export class ListingModule {}
