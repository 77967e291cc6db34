import { Inject, Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { CountedWarning } from '../logging/counted-warning.js';
import { LOGGER } from '../logging/logger.js';
import type { Logger } from '../logging/logger.js';
import { openFiles } from '../http/connections/open-files.js';

/**
 * Fewer free descriptors than this are too few. The process must still be able to reconnect to the store and to
 * accept a health probe.
 */
const FEW = 16;

const CHECK_MS = 1000;

/**
 * Whether this process is short of file descriptors. Without a free one the system closes new connections, and Node
 * does not report it.
 */
@Injectable()
export class OpenFilesWatch implements OnModuleDestroy {
  areFewLeft = false;
  private readonly warning: CountedWarning;
  private readonly timer = setInterval(() => this.check(), CHECK_MS).unref();

  constructor(@Inject(LOGGER) logger: Logger) {
    this.warning = new CountedWarning(logger, 'few file descriptors are left: raise the limit of open files');
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private check(): void {
    const { next, limit } = openFiles();
    this.areFewLeft = next >= limit - FEW;
    if (this.areFewLeft) this.warning.note();
  }
}
