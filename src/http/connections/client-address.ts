import { normalizeIp } from '@nestjs/throttler';
import ipaddr from 'ipaddr.js';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** An IPv6 customer is given a /64 at least (RFC 6177 §2), and could change its address within it at will. */
const IPV6_PREFIX_BITS = 64;

/** Proxies in a row that are looked at: one who is behind more is taken for the last of them. */
const MAX_PROXIES = 16;

/** As proxies write them, in quotes or not: an IPv4 address or a bracketed IPv6 address, each with or without a port. */
const IPV4_AND_PORT = /^([\d.]{7,15})(?::\d{1,5})?$/;
const BRACKETED_AND_PORT = /^\[([^\]]{2,45})\](?::\d{1,5})?$/;

/** Tells what a client is to the limiter: its address, or for IPv6 its /64. */
export class ClientAddresses {
  private readonly trusted = new BlockList();
  private readonly trustsAny: boolean;

  /** `trustedProxies`: addresses or CIDRs, of whom `X-Forwarded-For` is believed. */
  constructor(trustedProxies: readonly string[]) {
    this.trustsAny = trustedProxies.length > 0;
    for (const proxy of trustedProxies) {
      if (proxy.includes('/')) {
        const [network, bits] = ipaddr.parseCIDR(proxy);
        this.trusted.addSubnet(network.toString(), bits, network.kind());
      } else {
        const address = ipaddr.process(proxy);
        this.trusted.addAddress(address.toString(), address.kind());
      }
    }
  }

  /** Of a request; or of a connection, which forwards nothing. */
  of({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    let address = socket.remoteAddress ?? '';
    if (this.trustsAny && headers['x-forwarded-for'] !== undefined) {
      address = this.forwarded(address, String(headers['x-forwarded-for']));
    }
    return normalizeIp(address, IPV6_PREFIX_BITS);
  }

  /**
   * Each proxy adds at the end whom it has the request from. So from there on back: the first one that is not trusted. What is no
   * address is taken for none, and whoever forwarded it is the client.
   */
  private forwarded(address: string, list: string): string {
    let end = list.length;
    for (let proxies = 0; proxies < MAX_PROXIES && end >= 0 && this.isTrusted(address); proxies++) {
      const comma = end === 0 ? -1 : list.lastIndexOf(',', end - 1);
      const element = list.slice(comma + 1, end).trim();
      end = comma;
      // Lists may have empty elements (RFC 9110 §5.6.1).
      if (element === '') continue;
      const forwarded = parse(element);
      if (forwarded === undefined) break;
      address = forwarded;
    }
    return address;
  }

  private isTrusted(address: string): boolean {
    return this.trusted.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  }
}

function parse(element: string): string | undefined {
  const text =
    element.length > 1 && element.startsWith('"') && element.endsWith('"') ? element.slice(1, -1) : element;
  const ipv4 = IPV4_AND_PORT.exec(text)?.[1];
  if (ipv4 !== undefined) return isIPv4(ipv4) ? ipv4 : undefined;
  const ipv6 = BRACKETED_AND_PORT.exec(text)?.[1] ?? text;
  // A zone is of its own machine only (RFC 4007 §6).
  return isIPv6(ipv6) && !ipv6.includes('%') ? ipv6 : undefined;
}
