import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { KvError } from '../entries/kv.errors.js';
import { PUBLIC_ROUTE } from '../http/public-route.js';
import { RouteFlag } from '../http/route-flag.js';
import { ClientRate } from '../throttling/client-rate.js';
import { KnownTokens } from './known-tokens.js';
import type { Known } from './known-tokens.js';
import { bearerToken, isToken } from './token.js';

/**
 * Tells who sends a request, by the token that it shows. What that token may do is decided where it is known what the
 * request is about. A request without a valid token is counted to the rate of its address, and refused.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly publicRoute: RouteFlag;

  constructor(
    private readonly tokens: KnownTokens,
    private readonly rate: ClientRate,
    reflector: Reflector,
  ) {
    this.publicRoute = new RouteFlag(reflector, PUBLIC_ROUTE);
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { authorization = '' } = request.headers;
    const known = this.tokens.accept(authorization);
    if (known && this.tokens.isCurrent) return enter(request, known);
    if (this.publicRoute.isSet(context)) return true;
    return this.admit(request, context.switchToHttp().getResponse(), authorization);
  }

  private async admit(request: FastifyRequest, reply: FastifyReply, authorization: string): Promise<boolean> {
    const token = bearerToken(authorization);
    let known = token && this.tokens.find(token, authorization);
    if (!known) {
      await this.rate.charge(request, reply);
      if (!token || !isToken(token)) throw new KvError('UNAUTHORIZED');
      // It may have been made a moment ago, by a request to another process.
      await this.tokens.refresh();
      known = this.tokens.find(token, authorization);
      if (!known) throw new KvError('UNAUTHORIZED');
    }
    if (!this.tokens.isCurrent) await this.tokens.refresh();
    return enter(request, known);
  }
}

function enter(request: FastifyRequest, { id, access }: Known): true {
  request.access = access;
  request.tokenId = id;
  return true;
}
