import { isIPv6 } from 'node:net';

/** As it stands in a URL: an IPv6 address in brackets (RFC 3986 §3.2.2), the `%` of its zone encoded (RFC 6874 §2). */
export function hostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host.replace('%', '%25')}]:${port}` : `${host}:${port}`;
}
