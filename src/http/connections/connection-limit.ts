import type { Socket } from 'node:net';
import { openFiles } from './open-files.js';
import { CountedWarning } from '../../logging/counted-warning.js';
import type { Logger } from '../../logging/logger.js';
import type { WrittenAnswers } from './written-answers.js';
import { SharedBudget } from '../shared-budget.js';

/**
 * How many connections over the limit are kept open until their clients have read the refusal. Others are closed as
 * soon as it is written.
 */
const MAX_TURNED_AWAY = 32;

/** How long such a client may take to read the refusal. */
const TURN_AWAY_MS = 1000;

/** File descriptors for everything else: the log, the store, refused connections, and a reserve. */
const OTHER_FILES = 100;

/** Bounds how many connections a process serves. One more connection is answered 503 and closed. */
export class ConnectionLimit {
  private readonly budget: SharedBudget;
  private readonly warning: CountedWarning;
  private turnedAway = 0;

  /** Uses `max`, or less where the limit of open files allows fewer. */
  constructor(
    max: number,
    private readonly written: WrittenAnswers,
    logger: Logger,
  ) {
    const { limit } = openFiles();
    const possible = Math.max(2, Math.min(max, limit - OTHER_FILES));
    if (possible < max) {
      logger.warn(
        { openFiles: limit, connections: possible },
        'the limit of open files is too low for MAX_CONNECTIONS',
      );
    }
    this.budget = new SharedBudget(possible);
    this.warning = new CountedWarning(logger, 'connections were refused: as many are open as may be');
  }

  /** How many connections are served. */
  get open(): number {
    return this.budget.held;
  }

  /** @returns whether this connection is to be served. If not, it has been answered and is being closed. */
  admit(socket: Socket, client: string): boolean {
    if (!this.budget.take(client, 1)) {
      this.turnAway(socket);
      return false;
    }
    socket.once('close', () => this.budget.give(client, 1));
    return true;
  }

  private turnAway(socket: Socket): void {
    this.warning.note();
    socket.on('error', () => socket.destroy());
    if (this.turnedAway >= MAX_TURNED_AWAY) {
      socket.write(this.written.of('TOO_BUSY'));
      socket.destroySoon();
      return;
    }
    this.turnedAway++;
    const close = setTimeout(() => socket.destroy(), TURN_AWAY_MS);
    socket.once('end', () => socket.destroySoon());
    socket.once('close', () => {
      clearTimeout(close);
      this.turnedAway--;
    });
    // Its request is read and discarded. With unread bytes the connection would be reset and the answer lost (RFC
    // 9112 §9.6).
    socket.resume();
    socket.end(this.written.of('TOO_BUSY'));
  }
}
