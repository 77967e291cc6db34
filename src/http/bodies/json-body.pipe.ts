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
 * A value may lie in an operation, in a list, in the body of a batch or a transaction. No body may be nested deeper
 * than that, whatever it holds, so code that reads a body may recurse. The depth of the value itself is checked where
 * it is encoded.
 */
const CONTAINERS_AROUND_A_VALUE = 3;

/** A DTO whose body is a JSON object with these members. */
interface ObjectDto {
  readonly members: Members<object>;
}

/** A DTO whose body has one of these media types and may be any JSON. The media type says what the body means. */
interface TypedDto {
  readonly mediaTypes: readonly string[];
  new (mediaType: string, document: JsonValue): object;
}

/**
 * Reads a body, parses it, and checks its members against the DTO that the controller's parameter declares.
 * Nest's ValidationPipe is not used. Its class-transformer copies the body and loses `__proto__` on the way. Its
 * class-validator accepts `hasOwnProperty` as a known member, fails on a member named `constructor`, and took 5 % of
 * the time of a PUT.
 */
@Injectable()
export class JsonBodyPipe implements PipeTransform {
  /** How deep a whole body may be nested. */
  private readonly maxDepth: number;

  constructor(@Inject(LIMITS) limits: LimitsConfig) {
    this.maxDepth = limits.maxDepth + CONTAINERS_AROUND_A_VALUE;
  }

  /** @throws {KvError} INVALID_BODY, and what reading a body throws. */
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
