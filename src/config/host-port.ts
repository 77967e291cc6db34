import { isIPv6 } from 'node:net';

/**
 * A host and port as in a URL: an IPv6 address has brackets (RFC 3986 §3.2.2), and the `%` of its zone is encoded
 * (RFC 6874 §2).
 */
export function hostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host.replace('%', '%25')}]:${port}` : `${host}:${port}`;
}
