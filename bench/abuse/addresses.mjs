/** All of them are this machine's: every address of 127.0.0.0/8 is. */
export const ATTACKER = '127.0.0.66';
/** Whose X-Forwarded-For the service believes. */
export const PROXY = '127.0.0.77';
/** Ordinary clients, each within its rate. */
export const OTHERS = Array.from({ length: 8 }, (_, i) => `127.0.0.${11 + i}`);
