/** A message of a worker to the primary. */
export type WorkerMessage =
  { type: 'listening'; port: number } | { type: 'connected' } | { type: 'failed'; reason: string };

/** `onSent` is called when the message was sent, or cannot be sent. */
export function tellPrimary(message: WorkerMessage, onSent?: () => void): void {
  process.send?.(message, undefined, undefined, onSent);
}
