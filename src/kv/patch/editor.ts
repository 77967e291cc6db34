import { quotedBytes } from '../../json/json-text.js';
import type { JsonMeter } from '../../json/json-meter.js';
import type { JsonValue } from '../../json/json.types.js';
import { KvError } from '../../entries/kv.errors.js';
import { maxJsonBytes } from '../../store/value-limits.js';
import type { ValueLimits } from '../../store/value-limits.js';
import type { Budget } from './budget.js';
import type { Document } from './document.js';
import type { Node, OpenArray, OpenObject } from './node.js';
import { isEqual } from './is-equal.js';
import { checkIndex, indexOf, isWithin } from './pointer.js';
import { PathTrail } from './trail.js';

/** How many array items can be moved in the time in which one byte of MessagePack is looked at. */
const ITEMS_PER_BYTE = 16;

type Path = readonly string[];

/**
 * Changes a document as the operations of a JSON Patch require (RFC 6902 §4), within a budget.
 * @throws {KvError} INVALID_BODY for a place that does not exist, VALUE_TOO_LARGE beyond the budget.
 */
export class Editor {
  /** The length of the document as JSON, without the commas, whose number changes. */
  private bytes: number;
  /** A value that was stored under a larger limit may only become shorter. */
  private readonly maxBytes: number;

  constructor(
    private readonly document: Document,
    private readonly budget: Budget,
    private readonly limits: ValueLimits,
  ) {
    this.bytes = document.measure(document.root).bytes;
    this.maxBytes = Math.max(this.bytes, maxJsonBytes(limits));
  }

  add(path: Path, value: JsonValue): void {
    const node = this.document.append(value);
    this.checkRoom(path, this.measure(node), this.replacedBytes(path));
    this.insert(path, node);
  }

  remove(path: Path): void {
    this.grow(-this.measure(this.at(path)).bytes);
    this.take(path);
  }

  replace(path: Path, value: JsonValue): void {
    const replaced = this.measure(this.at(path));
    const node = this.document.append(value);
    this.checkRoom(path, this.measure(node), replaced.bytes);
    this.put(path, node);
  }

  move(from: Path, path: Path): void {
    const node = this.at(from);
    if (isWithin(path, from)) {
      // A value cannot be moved into itself (RFC 6902 §4.4), except to the place where it is.
      if (path.length > from.length) throw new KvError('INVALID_BODY');
      return;
    }
    if (path.length > from.length) this.checkDepth(path, this.measure(node));
    this.take(from);
    this.grow(-this.replacedBytes(path));
    this.insert(path, node);
  }

  copy(from: Path, path: Path): void {
    const node = this.at(from);
    this.checkRoom(path, this.measure(node), this.replacedBytes(path));
    this.insert(path, this.document.copy(node));
  }

  equals(path: Path, value: JsonValue): boolean {
    return isEqual(this.document, this.at(path), value);
  }

  private at(path: Path): Node {
    if (path.length === 0) return this.document.root;
    return childOf(this.container(path), last(path));
  }

  /** The container that holds the place which the path leads to. */
  private container(path: Path): OpenArray | OpenObject {
    let node = this.document.root;
    if (typeof node === 'number') this.document.root = node = this.document.open(node, PathTrail.of(path));
    for (let i = 0; i < path.length - 1; i++) {
      const token = path[i] ?? '';
      const child = childOf(node, token);
      if (typeof child === 'number') {
        const opened = this.document.open(child, PathTrail.of(path, i + 1));
        putChild(node, token, opened);
        node = opened;
      } else node = child;
    }
    if (typeof node === 'number') throw new KvError('INVALID_BODY');
    return node;
  }

  private measure(node: Node): JsonMeter {
    const meter = this.document.measure(node);
    this.budget.spend(meter.bytes);
    return meter;
  }

  /** To be called before anything is changed. */
  private checkRoom(path: Path, meter: JsonMeter, replacedBytes: number): void {
    this.checkDepth(path, meter);
    this.grow(-replacedBytes);
    this.grow(meter.bytes);
  }

  /**
   * The bytes that an insertion replaces: the whole document, or a member. Items of an array are moved up instead.
   */
  private replacedBytes(path: Path): number {
    if (path.length === 0) return this.measure(this.document.root).bytes;
    const container = this.container(path);
    const replaced = Array.isArray(container) ? undefined : container.get(last(path));
    return replaced === undefined ? 0 : this.measure(replaced).bytes;
  }

  private checkDepth(path: Path, { depth }: JsonMeter): void {
    if (path.length + depth > this.limits.maxDepth) throw new KvError('INVALID_BODY');
  }

  private grow(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.maxBytes) throw new KvError('VALUE_TOO_LARGE');
  }

  /** Puts a node, for which there is room, at a place where it becomes a new item or a member. */
  private insert(path: Path, node: Node): void {
    if (path.length === 0) {
      this.document.root = node;
      return;
    }
    const container = this.container(path);
    const token = last(path);
    if (Array.isArray(container)) {
      const index = token === '-' ? container.length : checkIndex(token, container.length);
      this.budget.spend((container.length - index) / ITEMS_PER_BYTE);
      container.splice(index, 0, node);
    } else {
      if (!container.has(token)) this.grow(memberBytes(token));
      container.set(token, node);
    }
  }

  private put(path: Path, node: Node): void {
    if (path.length === 0) this.document.root = node;
    else putChild(this.container(path), last(path), node);
  }

  /** Takes away the node at a place that exists. */
  private take(path: Path): void {
    if (path.length === 0) {
      this.document.root = this.document.append(null);
      return;
    }
    const container = this.container(path);
    const token = last(path);
    if (Array.isArray(container)) {
      const index = indexOf(token);
      this.budget.spend((container.length - index) / ITEMS_PER_BYTE);
      container.splice(index, 1);
    } else {
      container.delete(token);
      this.grow(-memberBytes(token));
    }
  }
}

function last(path: Path): string {
  return path.at(-1) ?? '';
}

function childOf(container: Node, token: string): Node {
  let child: Node | undefined;
  if (Array.isArray(container)) child = container[indexOf(token)];
  else if (container instanceof Map) child = container.get(token);
  if (child === undefined) throw new KvError('INVALID_BODY');
  return child;
}

/** Replaces the node at a place that exists. */
function putChild(container: Node, token: string, node: Node): void {
  if (Array.isArray(container)) container[indexOf(token)] = node;
  else if (container instanceof Map) container.set(token, node);
}

/** The bytes of a name and its colon. */
function memberBytes(name: string): number {
  return quotedBytes(name) + 1;
}
