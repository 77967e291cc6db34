import { MsgpackFormatError, type MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';

/** https://www.tarantool.io/en/doc/latest/dev_guide/internals/box_protocol/ */
const OPCODE_CALL = 0x0a;
const KEY_CODE = 0x00;
const KEY_SYNC = 0x01;
const KEY_TUPLE = 0x21;
const KEY_FUNCTION_NAME = 0x22;
const KEY_DATA = 0x30;
const KEY_ERROR = 0x31;
const TYPE_PUSH = 0x80;
const ERROR_FLAG = 0x8000;

const LENGTH_PREFIX_BYTES = 5;
const SYNC_OFFSET = 10;

/** The packet of a CALL up to its arguments, with zeros for the length and the sync. */
export function callTemplate(functionName: string): Buffer {
  const writer = new MsgpackWriter(256);
  writer.raw(Uint8Array.of(0xce, 0, 0, 0, 0)); // length
  writer.mapHeader(2).integer(KEY_CODE).integer(OPCODE_CALL).integer(KEY_SYNC);
  writer.raw(Uint8Array.of(0xce, 0, 0, 0, 0)); // sync, at SYNC_OFFSET
  writer.mapHeader(2).integer(KEY_FUNCTION_NAME).string(functionName).integer(KEY_TUPLE);
  return writer.bytes();
}

/** `sync` is a uint32, and `args` a MessagePack array. */
export function callPacket(template: Buffer, sync: number, args: Uint8Array): Buffer {
  const packet = Buffer.allocUnsafe(template.length + args.length);
  packet.set(template);
  packet.set(args, template.length);
  packet.writeUInt32BE(packet.length - LENGTH_PREFIX_BYTES, 1);
  packet.writeUInt32BE(sync, SYNC_OFFSET);
  return packet;
}

export interface AnswerHeader {
  readonly code: number;
  readonly sync: number;
}

/** Reads the header, and leaves the reader at the body. */
export function readAnswerHeader(reader: MsgpackReader): AnswerHeader {
  let code = -1;
  let sync = -1;
  for (let left = reader.mapHeader(); left > 0; left--) {
    const key = reader.integer();
    if (key === KEY_CODE) code = reader.integer();
    else if (key === KEY_SYNC) sync = reader.integer();
    else reader.skip();
  }
  return { code, sync };
}

export const isSuccess = (code: number): boolean => code === 0;
/** Whether the packet is a message by `box.session.push`, which comes before the answer. */
export const isPush = (code: number): boolean => code === TYPE_PUSH;
export const isError = (code: number): boolean => (code & ERROR_FLAG) !== 0;

/** The number of the error in `box.error.*`, for example 3 for a duplicate key. */
export const errorNumber = (code: number): number => code & ~ERROR_FLAG;

/** Moves the reader to the array that the function returned. Throws unless the array is complete. */
export function seekData(reader: MsgpackReader): void {
  if (!seek(reader, KEY_DATA)) throw new MsgpackFormatError('an answer without data');
  const start = reader.offset;
  reader.arrayHeader();
  reader.offset = start;
  reader.skip();
  reader.offset = start;
}

export function readErrorMessage(reader: MsgpackReader): string {
  return seek(reader, KEY_ERROR) ? reader.string() : '';
}

function seek(reader: MsgpackReader, wanted: number): boolean {
  for (let left = reader.mapHeader(); left > 0; left--) {
    if (reader.integer() === wanted) return true;
    reader.skip();
  }
  return false;
}
