import { hash, randomBytes } from 'node:crypto';

/** By this beginning, programs that look for secrets in files recognise a token. */
const PREFIX = 'tkv_';
const SECRET_BYTES = 32;
const ID_BYTES = 12;

const TOKEN = /^tkv_[\w-]{43}$/;

/** A bearer token in `Authorization` (RFC 6750 §2.1). The name of the scheme may be written in any case. */
const BEARER = /^bearer +([\w.~+/-]+=*) *$/i;

export function newToken(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
}

/** Names a token in the log and in the API. */
export function newTokenId(): string {
  return randomBytes(ID_BYTES).toString('base64url');
}

/** Whether a text has the form of a token that this service has made. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** SHA-256. A token has 256 random bits, so nobody can find it by trying, and a slower hash would add nothing. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'base64url');
}

/** The token that a request shows, undefined where it shows none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return BEARER.exec(authorization ?? '')?.[1];
}
