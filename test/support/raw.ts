import { once } from 'node:events';
import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  /** By name in lower case. */
  fields: Record<string, string>;
  body: string;
}

/** Sends bytes unchanged, half-closes the connection, and reads until the server closes. */
export async function exchange(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end(Buffer.from(bytes, 'latin1'));
  return received(socket);
}

/** Same as `exchange`, but the server has to close the connection first. */
export async function untilClosed(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(Buffer.from(bytes, 'latin1'));
  return received(socket);
}

/**
 * Returns the first answer to these bytes. The client sends nothing more, and keeps the connection open until it has
 * the answer.
 */
export async function firstAnswer(url: string, bytes: string): Promise<RawAnswer> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(Buffer.from(bytes, 'latin1'));
  try {
    for (let text = ''; ;) {
      text += ((await once(socket, 'data')) as [Buffer])[0].toString('latin1');
      const length = Number(/^content-length: (\d+)\r$/im.exec(text)?.[1] ?? 0);
      if (text.length >= text.indexOf('\r\n\r\n') + 4 + length && text.includes('\r\n\r\n')) {
        const [answer] = answersIn(text);
        if (answer) return answer;
      }
    }
  } finally {
    socket.destroy();
  }
}

async function received(socket: ReturnType<typeof connect>): Promise<string> {
  let answer = '';
  socket.on('data', (data) => (answer += data.toString('latin1')));
  await once(socket, 'close');
  return answer;
}

/** Splits bytes into answers by their `Content-Length`. 204, 304 and answers to HEAD do not have one. */
export function answersIn(bytes: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = bytes; rest !== '';) {
    const end = rest.indexOf('\r\n\r\n');
    const [line = '', ...lines] = rest.slice(0, end).split('\r\n');
    const fields = Object.fromEntries(
      lines.map((field) => [
        field.slice(0, field.indexOf(':')).toLowerCase(),
        field.slice(field.indexOf(':') + 2),
      ]),
    );
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]);
    if (end < 0 || Number.isNaN(status)) throw new Error(`no answer: ${JSON.stringify(rest)}`);
    const bodyEnd = end + 4 + Number(fields['content-length'] ?? 0);
    answers.push({ status, fields, body: rest.slice(end + 4, bodyEnd) });
    rest = rest.slice(bodyEnd);
  }
  return answers;
}

/** A request in HTTP/1.1 to this service, with an optional body. */
export function message(line: string, body?: string, fields = ''): string {
  const framing = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return `${line} HTTP/1.1\r\nHost: a\r\n${fields}${framing}\r\n${body ?? ''}`;
}
