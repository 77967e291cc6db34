import { Inject, Injectable } from '@nestjs/common';
import type { LimitsConfig } from '../config/config.js';
import { LIMITS } from '../config/config.tokens.js';
import { KvError } from '../entries/kv.errors.js';
import { readTtl } from '../entries/ttl.js';
import type { CreateTokenDto } from './dto/create-token.dto.js';
import { KnownTokens } from './known-tokens.js';
import { parseRule } from './parse-rule.js';
import { hashToken, newToken, newTokenId } from './token.js';
import { TokensRepository } from './tokens.repository.js';
import type { StoredToken } from './tokens.repository.js';

const MAX_NAME_LENGTH = 100;
/** The most characters of the rules of a token as JSON. */
const MAX_RULES_LENGTH = 4096;

/** A token that was made just now: the only time that it is told. */
export interface NewToken extends StoredToken {
  readonly token: string;
}

@Injectable()
export class TokensService {
  constructor(
    private readonly tokens: TokensRepository,
    private readonly known: KnownTokens,
    @Inject(LIMITS) private readonly limits: LimitsConfig,
  ) {}

  /** @throws {KvError} INVALID_BODY, VALUE_TOO_LARGE, TOO_MANY_TOKENS, and what every write throws */
  async create({ name, rules: sent, ...end }: CreateTokenDto): Promise<NewToken> {
    if (name === '' || name.length > MAX_NAME_LENGTH || !name.isWellFormed())
      throw new KvError('INVALID_BODY');
    const rules = sent.map((rule) => parseRule(rule, this.limits.maxKeyBytes));
    if (JSON.stringify(rules).length > MAX_RULES_LENGTH) throw new KvError('VALUE_TOO_LARGE');
    const ttl = readTtl(end);
    const token = newToken();
    const stored = {
      id: newTokenId(),
      hash: hashToken(token),
      name,
      rules,
      createdAt: Date.now(),
      expiresAt: typeof ttl === 'object' ? ttl.expiresAtMs : undefined,
    };
    await this.tokens.create(stored);
    return { ...stored, token };
  }

  /** All tokens that are valid, the oldest first. @throws {KvError} STORAGE_UNAVAILABLE */
  async list(): Promise<StoredToken[]> {
    const { tokens = [] } = await this.tokens.read(0, 0);
    const now = Date.now();
    return tokens
      .filter(({ expiresAt = Infinity }) => expiresAt > now)
      .sort((one, other) => one.createdAt - other.createdAt);
  }

  /** @throws {KvError} TOKEN_NOT_FOUND, and what every write throws */
  async delete(id: string): Promise<void> {
    await this.tokens.delete(id);
    // This process knows at once. The others are told by the store. Where it cannot be asked, the token is gone too.
    await this.known.refresh().catch(() => undefined);
  }
}
