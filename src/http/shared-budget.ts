import assert from 'node:assert/strict';

/**
 * A quantity of which a process has a fixed amount for all clients together. A client may hold at most as much as is
 * left to all others after that. So one client alone gets half, and however many clients take as much as they can,
 * something is left for the next.
 */
export class SharedBudget {
  private readonly heldBy = new Map<string, number>();
  private left: number;

  constructor(private readonly total: number) {
    this.left = total;
  }

  get held(): number {
    return this.total - this.left;
  }

  /** Takes the whole amount or nothing. @returns whether it was taken. */
  take(client: string, amount: number): boolean {
    const held = (this.heldBy.get(client) ?? 0) + amount;
    if (held > this.left - amount) return false;
    this.heldBy.set(client, held);
    this.left -= amount;
    return true;
  }

  /** Gives back an amount that this client has taken. */
  give(client: string, amount: number): void {
    const held = (this.heldBy.get(client) ?? 0) - amount;
    assert(held >= 0, 'a client gives back no more than it has taken');
    if (held > 0) this.heldBy.set(client, held);
    else this.heldBy.delete(client);
    this.left += amount;
  }
}
