import type { Metric } from '../metrics/metric.js';

/** A message of a worker to the primary. */
export type WorkerMessage =
  | { type: 'listening'; port: number }
  | { type: 'connected' }
  | { type: 'failed'; reason: string }
  /** The worker was asked for the metrics of all workers. */
  | { type: 'metrics-wanted' }
  /** Its own. Without any, it could not tell them. */
  | { type: 'metrics'; metrics?: readonly Metric[] };

/** A message of the primary to a worker. */
export type PrimaryMessage =
  | { type: 'metrics-asked' }
  /** The metrics of all workers. Without any, they could not be gathered. */
  | { type: 'metrics-gathered'; metrics?: readonly Metric[] };

/** `onSent` is called when the message was sent, or cannot be sent. */
export function tellPrimary(message: WorkerMessage, onSent?: () => void): void {
  process.send?.(message, undefined, undefined, onSent);
}
