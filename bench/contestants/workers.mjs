/** Processes or threads that serve HTTP, of each contestant where it can be said. */
export const WORKERS = 2;
