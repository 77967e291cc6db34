import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpStatus,
  Param,
  Patch as PatchMethod,
  Post,
  Put,
  Req,
  Res,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CreateEntryDto } from './dto/create-entry.dto.js';
import { TouchEntryDto } from './dto/touch-entry.dto.js';
import { UpdateEntryDto } from './dto/update-entry.dto.js';
import type { IfMatch, Written } from './entry.js';
import { KvService } from './kv.service.js';
import { Patch } from './patch/patch.js';
import { entityTag, matchesNone, mustNotExist, parseIfMatch } from './precondition.js';
import { parseFlag } from './query.js';

interface Done {
  message: string;
  status: number;
}

@Controller('kv')
export class KvController {
  constructor(private readonly kv: KvService) {}

  @Post()
  @HttpCode(HttpStatus.OK)
  async insert(
    @Body() { key, value, ttl }: CreateEntryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Done> {
    describe(reply, await this.kv.insert(key, value, ttl));
    return done('inserted');
  }

  @Get(':key')
  async get(
    @Req() request: FastifyRequest<{ Params: { key: string } }>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | undefined> {
    const entry = await this.kv.get(request.params.key);
    describe(reply, entry);
    void reply.header('Cache-Control', 'no-cache');
    if (matchesNone(request.headers['if-none-match'], entry.version)) return `{"value":${entry.json}}`;
    void reply.code(HttpStatus.NOT_MODIFIED).removeHeader('Content-Type');
    return undefined;
  }

  @Put(':key')
  async update(
    @Param('key') key: string,
    @Body() { value, ttl }: UpdateEntryDto,
    @Req() request: FastifyRequest<{ Querystring: Record<string, unknown> }>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Done> {
    const ifMatch = parseIfMatch(request.headers['if-match']);
    if (parseFlag(request.query, 'upsert')) {
      const mustCreate = mustNotExist(request.headers['if-none-match']);
      const written = await this.kv.upsert(key, value, { ttl, ifMatch }, mustCreate);
      describe(reply, written);
      return done(written.isCreated ? 'inserted' : 'updated');
    }
    describe(reply, await this.kv.update(key, value, { ttl, ifMatch: precondition(request) }));
    return done('updated');
  }

  @PatchMethod(':key')
  async patch(
    @Param('key') key: string,
    @Body() patch: Patch,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Done> {
    describe(reply, await this.kv.patch(key, patch, precondition(request)));
    return done('updated');
  }

  @Delete(':key')
  async delete(@Param('key') key: string, @Req() request: FastifyRequest): Promise<Done> {
    await this.kv.delete(key, precondition(request));
    return done('deleted');
  }

  @Post(':key/touch')
  @HttpCode(HttpStatus.OK)
  async touch(
    @Param('key') key: string,
    @Body() { ttl }: TouchEntryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Done> {
    describe(reply, await this.kv.touch(key, ttl ?? undefined));
    return done('touched');
  }
}

function done(message: string): Done {
  return { message, status: HttpStatus.OK };
}

function describe(reply: FastifyReply, { version, expiresAt }: Written): void {
  void reply.header('ETag', entityTag(version));
  if (expiresAt !== undefined) void reply.header('KV-Expires-At', new Date(expiresAt).toISOString());
}

/** Of a write that needs an entry to be there: where nothing may be there, no version of it is acceptable. */
function precondition({ headers }: FastifyRequest): IfMatch | undefined {
  const ifMatch = parseIfMatch(headers['if-match']);
  return mustNotExist(headers['if-none-match']) ? [] : ifMatch;
}
