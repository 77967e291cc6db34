import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { done } from '../http/envelope.js';
import { refuseIdempotencyKey } from '../http/idempotency-key.js';
import { accessOf } from './access.js';
import { CreateTokenDto } from './dto/create-token.dto.js';
import { TokensService } from './tokens.service.js';
import type { StoredToken } from './tokens.repository.js';

/** What an administrator does with tokens. It is there only where the service needs tokens. */
@Controller('tokens')
export class TokensController {
  constructor(private readonly tokens: TokensService) {}

  @Post()
  @HttpCode(HttpStatus.OK)
  async create(
    @Req() request: FastifyRequest,
    @Body() body: CreateTokenDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    accessOf(request).require('admin', '');
    refuseIdempotencyKey(request.raw);
    const created = await this.tokens.create(body);
    void reply.header('cache-control', 'no-store');
    const { token } = created;
    return done('created', `,${JSON.stringify({ token, ...shown(created) }).slice(1, -1)}`);
  }

  @Get()
  async list(@Req() request: FastifyRequest): Promise<string> {
    accessOf(request).require('admin', '');
    return JSON.stringify({ items: (await this.tokens.list()).map(shown) });
  }

  @Delete(':id')
  async delete(@Req() request: FastifyRequest<{ Params: { id: string } }>): Promise<string> {
    accessOf(request).require('admin', '');
    refuseIdempotencyKey(request.raw);
    await this.tokens.delete(request.params.id);
    return done('deleted');
  }
}

/** A token as it is told: what it may do, and nothing by which it could be used. */
function shown({ id, name, rules, createdAt, expiresAt }: StoredToken): object {
  return {
    id,
    name,
    rules,
    created_at: new Date(createdAt).toISOString(),
    ...(expiresAt !== undefined && { expires_at: new Date(expiresAt).toISOString() }),
  };
}
