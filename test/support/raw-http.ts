import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** By name in lower case. Of repeated fields the last one is kept. */
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Conversation {
  readonly answers: RawAnswer[];
  /** Whether the server closed the connection within the time given. */
  readonly isClosed: boolean;
}

const END_OF_HEAD = '\r\n\r\n';

/**
 * Sends bytes unchanged over a new connection, half-closes it, and reads until the server closes.
 * @param methods the methods of the requests in `bytes`, in order, because an answer to HEAD has no body
 */
export function converse(
  port: number,
  bytes: Buffer,
  methods: readonly string[],
  patienceMs: number,
): Promise<Conversation> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const chunks: Buffer[] = [];
    const finish = (isClosed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ answers: parseAnswers(Buffer.concat(chunks).toString('latin1'), methods), isClosed });
    };
    const timer = setTimeout(() => finish(false), patienceMs);
    socket.on('data', (chunk) => chunks.push(chunk));
    // A server that refuses a request may close the connection while we are still sending.
    socket.on('error', () => undefined);
    socket.on('close', () => finish(true));
    socket.end(bytes);
  });
}

/**
 * @throws where the bytes are no sequence of complete answers. A last answer that is cut short, as by a reset, is
 * left out.
 */
function parseAnswers(text: string, methods: readonly string[]): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let at = 0;
  let finals = 0;
  while (at < text.length) {
    const end = text.indexOf(END_OF_HEAD, at);
    if (end < 0) break;
    const [statusLine = '', ...lines] = text.slice(at, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) throw new Error(`no status line: ${statusLine}`);
    const fields = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    at = end + END_OF_HEAD.length;
    if (status < 200) continue;
    const isBodiless = methods[finals] === 'HEAD' || status === 204 || status === 304;
    const length = isBodiless ? 0 : Number(fields['content-length']);
    if (Number.isNaN(length)) throw new Error(`an answer without Content-Length: ${statusLine}`);
    if (at + length > text.length) break;
    answers.push({ status, fields, body: text.slice(at, at + length) });
    at += length;
    finals++;
  }
  return answers;
}
