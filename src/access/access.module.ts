import { Module } from '@nestjs/common';
import type { DynamicModule, Provider } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { AccessConfig } from '../config/config.js';
import { ThrottlingModule } from '../throttling/throttling.module.js';
import { AccessGuard } from './access.guard.js';
import { KnownTokens } from './known-tokens.js';
import { TokensController } from './tokens.controller.js';
import { TokensRepository } from './tokens.repository.js';
import { TokensService } from './tokens.service.js';

/** Who may do what. Where the service needs no tokens, nothing of it is there, and it costs nothing. */
@Module({})
export class AccessModule {
  static with({ adminToken }: AccessConfig): DynamicModule {
    if (adminToken === undefined) return { module: AccessModule };
    return {
      module: AccessModule,
      imports: [ThrottlingModule],
      controllers: [TokensController],
      providers: [KnownTokens, TokensRepository, TokensService],
      exports: [KnownTokens],
    };
  }
}

/** The guard, for the module that says in which order guards run. */
export function accessGuards({ adminToken }: AccessConfig): Provider[] {
  return adminToken === undefined ? [] : [{ provide: APP_GUARD, useClass: AccessGuard }];
}
