import { Injectable } from '@nestjs/common';
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { validateSync } from 'class-validator';
import { IncomingMessage } from 'node:http';
import type { Config } from '../config/config.js';
import { InvalidJsonError } from '../json/json.errors.js';
import { parseJson } from '../json/parse-json.js';
import type { JsonValue } from '../json/json.types.js';
import { KvError } from '../kv/kv.errors.js';
import { Patch } from '../kv/patch/patch.js';
import { HttpError } from './http.errors.js';
import { readJsonBody } from './request-body.js';

const VALIDATION = {
  whitelist: true,
  forbidNonWhitelisted: true,
  stopAtFirstError: true,
  validationError: { target: false, value: false },
};

/**
 * Reads a body, parses it and checks it against the DTO that the controller's parameter declares. Nest's ValidationPipe is
 * not used because class-transformer copies what it is given, and loses `__proto__` and the like on the way.
 */
@Injectable()
export class JsonBodyPipe implements PipeTransform {
  private readonly maxBodyBytes: number;

  constructor(config: ConfigService<Config, true>) {
    this.maxBodyBytes = config.get('limits', { infer: true }).maxBodyBytes;
  }

  /** @throws {KvError} INVALID_BODY; and what reading a body throws. */
  transform(argument: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type !== 'body' || !metatype) return argument;
    if (!(argument instanceof IncomingMessage)) throw new KvError('INVALID_BODY');
    return metatype === Patch ? this.readPatch(argument) : this.read(argument, metatype as new () => object);
  }

  private async readPatch(request: IncomingMessage): Promise<Patch> {
    const mediaType = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
    if (!Patch.mediaTypes.includes(mediaType)) {
      throw new HttpError('UNSUPPORTED_MEDIA_TYPE', { 'Accept-Patch': Patch.mediaTypes.join(', ') });
    }
    return new Patch(mediaType, parse(await readJsonBody(request, this.maxBodyBytes)));
  }

  private async read(request: IncomingMessage, Dto: new () => object): Promise<object> {
    const body = parse(await readJsonBody(request, this.maxBodyBytes));
    if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new KvError('INVALID_BODY');

    const dto = new Dto();
    for (const name of Object.keys(body)) {
      // Assigning it would change the DTO's class; it is no member of any.
      if (name === '__proto__') throw new KvError('INVALID_BODY');
      Reflect.set(dto, name, body[name]);
    }
    if (validateSync(dto, VALIDATION).length > 0) throw new KvError('INVALID_BODY');
    return dto;
  }
}

function parse(bytes: Buffer): JsonValue {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (error instanceof InvalidJsonError) throw new KvError('INVALID_BODY');
    throw error;
  }
}
