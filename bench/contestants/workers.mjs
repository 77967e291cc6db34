/** How many processes or threads serve HTTP, for each contestant that lets one choose. */
export const WORKERS = 2;
