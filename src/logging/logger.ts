import type { pino } from 'pino';

/** Structured log. Never holds a value, a password or a key. */
export type Logger = pino.Logger;

/** Injection token of the process's one logger. */
export const LOGGER = Symbol('LOGGER');
