/** Requests as bytes. */
export function request(method, path, body, fields = ['Content-Type: application/json']) {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...fields];
  return Buffer.from(`${head.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

export function get(path, fields = []) {
  return Buffer.from([`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...fields, '', ''].join('\r\n'));
}

export function chunkedByByte(method, path, body) {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Content-Type: application/json'];
  const chunks = [...body].map((byte) => `1\r\n${byte}\r\n`).join('');
  return Buffer.from(`${head.join('\r\n')}\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`);
}
