import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpStatus,
  Patch as PatchMethod,
  Post,
  Put,
  Req,
  Res,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Answers } from '../answers/answers.js';
import { accessOf } from '../access/access.js';
import { overSignal } from '../access/over-signal.js';
import { AwaitedChange } from './awaited-change.js';
import { CreateEntryDto } from './dto/create-entry.dto.js';
import { TouchEntryDto } from './dto/touch-entry.dto.js';
import { UpdateEntryDto } from './dto/update-entry.dto.js';
import { includesVersion } from '../entries/entry.js';
import type { IfMatch, Written } from '../entries/entry.js';
import { showVersion } from '../http/version-fields.js';
import { KvError } from '../entries/kv.errors.js';
import { KvService } from './kv.service.js';
import { ClientRate } from '../throttling/client-rate.js';
import { Patch } from './patch/patch.js';
import { done } from '../http/envelope.js';
import { mustNotExist, parseVersions } from '../http/precondition.js';
import { preferredWait } from '../http/prefer-wait.js';
import { parseFlag } from '../http/query.js';
import { retryOf, showReplay } from '../http/retry.js';
import { readTtl, requireTtl } from '../entries/ttl.js';

type KeyRequest = FastifyRequest<{ Params: { key: string }; Querystring: Record<string, unknown> }>;

const INSERTED = done('inserted');
const UPDATED = done('updated');
const DELETED = done('deleted');
const TOUCHED = done('touched');

@Controller('kv')
export class KvController {
  constructor(
    private readonly kv: KvService,
    private readonly rate: ClientRate,
    private readonly answers: Answers,
    private readonly awaited: AwaitedChange,
  ) {}

  @Post()
  @HttpCode(HttpStatus.OK)
  async insert(
    @Req() request: FastifyRequest,
    @Body() body: CreateEntryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    accessOf(request).require('write', body.key);
    const options = { ttl: readTtl(body), retry: retryOf(request) };
    describe(reply, await this.kv.insert(body.key, body.value, options));
    return INSERTED;
  }

  @Get(':key')
  async get(
    @Req() request: KeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | undefined> {
    const access = accessOf(request);
    access.require('read', request.params.key);
    const ifMatch = parseVersions(request.headers['if-match']);
    const ifNoneMatch = parseVersions(request.headers['if-none-match']);
    const room = this.answers.room(reply);
    if (request.headers.prefer !== undefined) {
      await this.awaitChange(request, reply, ifNoneMatch);
      access.check();
    }
    const entry = await this.kv.get(request.params.key, room);
    // `If-Match` is evaluated before `If-None-Match` (RFC 9110 §13.2.2).
    if (ifMatch && !includesVersion(ifMatch, entry.version)) {
      this.rate.owe(request, Buffer.byteLength(entry.json));
      throw new KvError('PRECONDITION_FAILED', { presentVersion: entry.version });
    }
    describe(reply, entry);
    if (!ifNoneMatch || !includesVersion(ifNoneMatch, entry.version)) {
      return room.settle(`{"value":${entry.json}}`);
    }
    // The entry was read although its value is not sent, so its bytes count.
    this.rate.owe(request, Buffer.byteLength(entry.json));
    void reply.code(HttpStatus.NOT_MODIFIED).removeHeader('Content-Type');
    return undefined;
  }

  /** Waits until the entry is there, and has another version than those that the client knows. */
  private async awaitChange(
    request: KeyRequest,
    reply: FastifyReply,
    known: IfMatch | undefined,
  ): Promise<void> {
    const seconds = preferredWait(request.headers.prefer);
    if (seconds === undefined || request.method !== 'GET') return;
    const { key } = request.params;
    const isAnother = async (): Promise<boolean> => {
      const version = await this.kv.version(key);
      return version !== undefined && !(known && includesVersion(known, version));
    };
    const over = overSignal(reply.raw, accessOf(request));
    if (await this.awaited.until(key, seconds * 1000, isAnother, over)) {
      void reply.header('preference-applied', `wait=${seconds}`);
    }
  }

  @Put(':key')
  async update(
    @Req() request: KeyRequest,
    @Body() body: UpdateEntryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { key } = request.params;
    accessOf(request).require('write', key);
    const ttl = readTtl(body);
    const retry = retryOf(request);
    const ifMatch = parseVersions(request.headers['if-match']);
    if (parseFlag(request.query, 'upsert')) {
      const mustCreate = mustNotExist(request.headers['if-none-match']);
      const written = await this.kv.upsert(key, body.value, { ttl, ifMatch, retry }, mustCreate);
      describe(reply, written);
      return written.isCreated ? INSERTED : UPDATED;
    }
    const options = { ttl, ifMatch: precondition(request), retry };
    describe(reply, await this.kv.update(key, body.value, options));
    return UPDATED;
  }

  @PatchMethod(':key')
  async patch(
    @Req() request: KeyRequest,
    @Body() patch: Patch,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const access = accessOf(request);
    // A test of a patch tells what the entry holds.
    access.require('read', request.params.key);
    access.require('write', request.params.key);
    const room = this.answers.room(reply);
    // Each attempt of a patch reads the document and stores it.
    const onRead = (bytes: number): void => {
      this.rate.owe(request, bytes);
      this.rate.owe(request, bytes);
    };
    const options = { ifMatch: precondition(request), retry: retryOf(request) };
    describe(reply, await this.kv.patch(request.params.key, patch, options, room, onRead));
    return UPDATED;
  }

  @Delete(':key')
  async delete(@Req() request: KeyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    accessOf(request).require('write', request.params.key);
    const options = { ifMatch: precondition(request), retry: retryOf(request) };
    showReplay(reply, await this.kv.delete(request.params.key, options));
    return DELETED;
  }

  @Post(':key/touch')
  @HttpCode(HttpStatus.OK)
  async touch(
    @Req() request: KeyRequest,
    @Body() body: TouchEntryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    accessOf(request).require('write', request.params.key);
    const options = { ttl: requireTtl(body), ifMatch: precondition(request), retry: retryOf(request) };
    describe(reply, await this.kv.touch(request.params.key, options));
    return TOUCHED;
  }
}

function describe(reply: FastifyReply, written: Written): void {
  const { version, expiresAt } = written;
  showVersion(reply, version);
  showReplay(reply, written);
  if (expiresAt !== undefined) void reply.header('kv-expires-at', new Date(expiresAt).toISOString());
}

/**
 * The precondition of a write that needs an existing entry. `If-None-Match: *` asks that there be none, so no version
 * satisfies both.
 */
function precondition({ headers }: FastifyRequest): IfMatch | undefined {
  const ifMatch = parseVersions(headers['if-match']);
  return mustNotExist(headers['if-none-match']) ? [] : ifMatch;
}
