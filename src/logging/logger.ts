import type { pino } from 'pino';

/** The structured log. It never holds a value, a password or a key. */
export type Logger = pino.Logger;

/** Injection token of the logger. Each process has one. */
export const LOGGER = Symbol('LOGGER');
