import { Inject, Injectable } from '@nestjs/common';
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { LimitsConfig } from '../../config/config.js';
import { LIMITS } from '../../config/config.tokens.js';
import { InvalidJsonError } from '../../json/json.errors.js';
import { parseJson } from '../../json/parse-json.js';
import type { JsonValue } from '../../json/json.types.js';
import { readMembers } from './members.js';
import type { Members } from './members.js';
import { KvError } from '../../entries/kv.errors.js';
import { HttpError } from '../http.errors.js';
import { checkNotCoded, isJsonMediaType, readMediaType } from './media-type.js';
import { RequestBody } from './request-body.js';

/**
 * A value lies in an operation, in a list, in the body of a batch or a transaction. No body is deeper, whatever is in it, so that
 * what reads it may call itself for each level; how deep the value itself may be is checked where it is encoded.
 */
const CONTAINERS_AROUND_A_VALUE = 3;

/** The body is JSON, an object with these members. */
interface ObjectDto {
  readonly members: Members<object>;
}

/** The body has one of these media types, and may be any JSON: what it means is said by its type. */
interface TypedDto {
  readonly mediaTypes: readonly string[];
  new (mediaType: string, document: JsonValue): object;
}

/**
 * Reads a body, parses it and checks its members against the DTO that the controller's parameter declares.
 * Nest's ValidationPipe is not used: class-transformer copies what it is given, and loses `__proto__` on the way; class-validator
 * takes `hasOwnProperty` for a known member, fails on one called `constructor`, and took 5 % of the time of a PUT.
 */
@Injectable()
export class JsonBodyPipe implements PipeTransform {
  /** How deep a whole body may be nested. */
  private readonly maxDepth: number;

  constructor(@Inject(LIMITS) limits: LimitsConfig) {
    this.maxDepth = limits.maxDepth + CONTAINERS_AROUND_A_VALUE;
  }

  /** @throws {KvError} INVALID_BODY; and what reading a body throws. */
  transform(argument: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type !== 'body' || !metatype) return argument;
    if (!(argument instanceof RequestBody)) throw new KvError('INVALID_BODY');
    const dto = metatype as unknown as ObjectDto | TypedDto;
    return 'mediaTypes' in dto ? this.readTyped(argument, dto) : this.readObject(argument, dto);
  }

  private async readTyped(body: RequestBody, dto: TypedDto): Promise<object> {
    const mediaType = readMediaType(body.headers['content-type'] ?? '') ?? '';
    if (!dto.mediaTypes.includes(mediaType)) {
      throw new HttpError('UNSUPPORTED_MEDIA_TYPE', { 'Accept-Patch': dto.mediaTypes.join(', ') });
    }
    checkNotCoded(body.headers);
    return new dto(mediaType, await this.parse(body));
  }

  private async readObject(body: RequestBody, { members }: ObjectDto): Promise<object> {
    const type = body.headers['content-type'];
    if (type !== undefined && type !== 'application/json' && !isJsonMediaType(readMediaType(type))) {
      throw new HttpError('UNSUPPORTED_MEDIA_TYPE');
    }
    checkNotCoded(body.headers);
    return readMembers(await this.parse(body), members);
  }

  private async parse(body: RequestBody): Promise<JsonValue> {
    const bytes = await body.read();
    try {
      return parseJson(bytes, this.maxDepth);
    } catch (error) {
      if (error instanceof InvalidJsonError) throw new KvError('INVALID_BODY');
      throw error;
    }
  }
}
