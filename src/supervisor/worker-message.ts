/** What a worker tells the primary. */
export type WorkerMessage =
  { type: 'listening'; port: number } | { type: 'connected' } | { type: 'failed'; reason: string };

/** `onSent` is called when the message has left, or cannot. */
export function tellPrimary(message: WorkerMessage, onSent?: () => void): void {
  process.send?.(message, undefined, undefined, onSent);
}
