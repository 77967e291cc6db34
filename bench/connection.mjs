import { once } from 'node:events';
import { connect } from 'node:net';

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const EMPTY = Buffer.alloc(0);

/** The bytes of a request for a connection that stays open. */
export function bytesOf({ method, path, body }) {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1'];
  if (body !== undefined) {
    head.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`);
  }
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body ?? ''}`);
}

/** A connection that costs little compared with what it measures. Answers must have a Content-Length. */
export class Connection {
  #socket;
  #rest = EMPTY;
  #onStatus;

  /**
   * @param onStatus is called with the status of each answer, in the order of the requests
   * @param localAddress whose connection it is to the other side; the system's choice where it is not given
   */
  static async open(port, onStatus, localAddress) {
    const connection = new Connection();
    connection.#onStatus = onStatus;
    connection.#socket = connect({ port, host: '127.0.0.1', localAddress }).setNoDelay(true);
    await once(connection.#socket, 'connect');
    connection.#socket.on('data', (chunk) => connection.#read(chunk));
    return connection;
  }

  /** Resolves, or throws, when the connection ends. */
  ended() {
    return once(this.#socket, 'close');
  }

  send(bytes) {
    this.#socket.write(bytes);
  }

  close() {
    this.#socket.destroy();
  }

  #read(chunk) {
    let rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    for (;;) {
      const end = rest.indexOf(END_OF_HEAD);
      if (end < 0) break;
      const head = rest.latin1Slice(0, end);
      const length = /\r\ncontent-length: *(\d+)/i.exec(head);
      if (!length) throw new Error(`an answer without Content-Length: ${head}`);
      const size = end + END_OF_HEAD.length + Number(length[1]);
      if (rest.length < size) break;
      rest = rest.subarray(size);
      this.#onStatus(Number(head.slice(9, 12)));
    }
    this.#rest = rest;
  }
}
