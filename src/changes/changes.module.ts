import { Module } from '@nestjs/common';
import { ThrottlingModule } from '../throttling/throttling.module.js';
import { ListingModule } from '../listing/listing.module.js';
import { ChangesController } from './changes.controller.js';
import { ChangesService } from './changes.service.js';
import { LiveChanges } from './live-changes.js';

@Module({
  imports: [ListingModule, ThrottlingModule],
  controllers: [ChangesController],
  providers: [ChangesService, LiveChanges],
})
export class ChangesModule {}
