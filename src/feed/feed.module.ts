import { Global, Module } from '@nestjs/common';
import { ChangeFeed } from './change-feed.js';
import { ChangesRepository } from './changes.repository.js';

/** Each process has one reader of the log of changes. */
@Global()
@Module({
  providers: [ChangeFeed, ChangesRepository],
  exports: [ChangeFeed],
})
export class FeedModule {}
