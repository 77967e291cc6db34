import { encodeValue } from '../../json/encode-value.js';
import { JsonMeter } from '../../json/json-meter.js';
import { UnencodableValueError } from '../../json/json.errors.js';
import type { JsonValue } from '../../json/json.types.js';
import { MsgpackReader } from '../../msgpack/msgpack-reader.js';
import { isArray, isMap, isString } from '../../msgpack/msgpack-types.js';
import { MsgpackWriter } from '../../msgpack/msgpack-writer.js';
import { KvError } from '../../entries/kv.errors.js';
import type { Budget } from './budget.js';
import { inOrder } from './in-order.js';
import type { Node, OpenArray, OpenObject } from './node.js';
import type { Trail } from './trail.js';

/** The cost of making a member or an item of an open container, in bytes looked at. */
const WORK_PER_MEMBER = 16;
const WORK_PER_ITEM = 4;

/**
 * A stored value while a patch changes it. Only the containers on the way of the patch are opened. Everything else
 * stays MessagePack and is copied byte by byte in the end. Bytes in the arena never change, so several containers may
 * share them.
 */
export class Document {
  root: Node = 0;
  private readonly arena: MsgpackWriter;
  private source: MsgpackReader;
  /** The stored bytes as a string. */
  private text: string | undefined;

  constructor(
    private readonly stored: Buffer,
    private readonly maxDepth: number,
    private readonly budget: Budget,
  ) {
    this.arena = new MsgpackWriter(stored.length + 256).raw(stored);
    this.source = new MsgpackReader(this.arena.view());
  }

  /**
   * The reader, moved to a node of the arena. There is only one reader, so a node is read to its end before the next
   * one.
   */
  reader(offset: number): MsgpackReader {
    this.source.offset = offset;
    return this.source;
  }

  /**
   * Adds a value of the patch to the arena.
   * @throws {KvError} INVALID_BODY for a value that cannot be kept exactly.
   */
  append(value: JsonValue): number {
    const start = this.arena.length;
    try {
      encodeValue(this.arena, value, this.maxDepth);
    } catch (error) {
      if (error instanceof UnencodableValueError) throw new KvError('INVALID_BODY');
      throw error;
    }
    this.source = new MsgpackReader(this.arena.view());
    return start;
  }

  /** Measures how long and how deep the JSON of a node is. */
  measure(node: Node, meter = new JsonMeter(), depth = 0): JsonMeter {
    if (typeof node === 'number') return meter.add(this.reader(node), depth);
    if (Array.isArray(node)) {
      meter.addContainer(false, node.length, depth + 1);
      for (const item of node) this.measure(item, meter, depth + 1);
    } else {
      meter.addContainer(true, node.size, depth + 1);
      for (const [name, member] of node) {
        meter.addName(name);
        this.measure(member, meter, depth + 1);
      }
    }
    return meter;
  }

  isObject(node: Node | undefined): boolean {
    return typeof node === 'number' ? isMap(this.reader(node).peek()) : node instanceof Map;
  }

  /**
   * Opens the containers along the trail, in one pass over the bytes of the node. A node that is no container is
   * returned unchanged.
   */
  open(node: Node, trail: Trail | undefined): Node {
    if (typeof node !== 'number') return node;
    const opened = this.read(this.reader(node), trail);
    this.budget.spend(this.source.offset - node);
    return opened;
  }

  private read(reader: MsgpackReader, trail: Trail | undefined): Node {
    const start = reader.offset;
    const code = reader.peek();
    if (trail && isMap(code)) {
      const count = reader.mapHeader();
      this.budget.spend(count * WORK_PER_MEMBER);
      const members: OpenObject = new Map();
      for (let i = 0; i < count; i++) {
        const name = this.readName(reader);
        members.set(name, this.read(reader, trail.into(name)));
      }
      return members;
    }
    if (trail && isArray(code)) {
      const count = reader.arrayHeader();
      this.budget.spend(count * WORK_PER_ITEM);
      const items: Node[] = [];
      for (let i = 0; i < count; i++) items.push(this.read(reader, trail.into(i)));
      return items;
    }
    reader.skip();
    return start;
  }

  /**
   * Reads a stored name. Nearly all names are ASCII, and are cut from the text of the document. Decoding each one
   * takes three times as long.
   */
  private readName(reader: MsgpackReader): string {
    if (!isString(reader.peek())) return String(reader.integer64());
    const bytes = reader.stringHeader();
    const start = reader.offset;
    reader.offset += bytes;
    if (start >= this.stored.length) return reader.buffer.toString('utf8', start, reader.offset);
    for (let at = start; at < reader.offset; at++) {
      if ((reader.buffer[at] ?? 0) > 0x7f) return reader.buffer.toString('utf8', start, reader.offset);
    }
    this.text ??= this.stored.toString('latin1');
    return this.text.substring(start, reader.offset);
  }

  /**
   * Copies a node. Open containers are copied, so that each has one place. Bytes in the arena never change, and are
   * shared.
   */
  copy(node: Node): Node {
    if (typeof node === 'number') return node;
    if (Array.isArray(node)) {
      this.budget.spend(node.length * WORK_PER_ITEM);
      return node.map((item) => this.copy(item));
    }
    this.budget.spend(node.size * WORK_PER_MEMBER);
    const members: OpenObject = new Map();
    for (const [name, member] of node) members.set(name, this.copy(member));
    return members;
  }

  /**
   * The document as MessagePack.
   * @throws {KvError} INVALID_BODY for a name that cannot be kept.
   */
  bytes(): Buffer {
    const writer = new MsgpackWriter(this.arena.length + 256);
    this.write(writer, this.root);
    return writer.view();
  }

  private write(writer: MsgpackWriter, node: Node): void {
    if (typeof node === 'number') writer.copy(this.source.buffer, node, this.endOf(node));
    else if (Array.isArray(node)) {
      writer.arrayHeader(node.length);
      this.writeItems(writer, node);
    } else {
      writer.mapHeader(node.size);
      for (const [name, member] of inOrder(node)) {
        if (!writer.wellFormedString(name)) throw new KvError('INVALID_BODY');
        this.write(writer, member);
      }
    }
  }

  /** Items that are neighbours in the arena are copied together. */
  private writeItems(writer: MsgpackWriter, items: OpenArray): void {
    let start = 0;
    let end = 0;
    for (const item of items) {
      if (item !== end) {
        writer.copy(this.source.buffer, start, end);
        start = end = typeof item === 'number' ? item : 0;
      }
      if (typeof item === 'number') end = this.endOf(item);
      else this.write(writer, item);
    }
    writer.copy(this.source.buffer, start, end);
  }

  private endOf(offset: number): number {
    const reader = this.reader(offset);
    reader.skip();
    return reader.offset;
  }
}
