/**
 * From where notifications are taken. Microsoft lists the networks that Graph posts from (Microsoft 365, "additional
 * endpoints not included in the web service", row 23), and changes them without notice (Graph:
 * change-notifications-delivery-webhooks).
 */
import { BlockList, isIP } from 'node:net';
import type { RequestHandler } from 'express';
import { refuse } from './refusals.ts';

type Network = { readonly address: string; readonly prefix: number; readonly family: 'ipv4' | 'ipv6' };

/** `203.0.113.0/24`, `2001:db8::/32`, or one address; `undefined` where it is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0 || address.includes('%')) return undefined;
  const widest = family === 4 ? 32 : 128;
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return undefined;
  const prefix = bits === undefined ? widest : Number(bits);
  if (prefix > widest) return undefined;
  return { address, prefix, family: family === 4 ? 'ipv4' : 'ipv6' };
}

/** Whether an address lies in one of the networks; an IPv4 address is the same in its IPv6 form (`::ffff:…`). */
export function createNetworkCheck(networks: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const text of networks) {
    const network = parseNetwork(text);
    if (network) list.addSubnet(network.address, network.prefix, network.family);
  }
  return (address = '') => {
    const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
    const family = isIP(plain);
    return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  };
}

/** Refuses requests from elsewhere before their body is read. Behind a proxy TRUST_PROXY says whose word counts. */
export function onlyFrom(networks: readonly string[]): RequestHandler {
  const isAllowed = createNetworkCheck(networks);
  return (request, response, next) => {
    if (isAllowed(request.ip)) next();
    else refuse(response, 'source-network');
  };
}

/** What Express takes as `trust proxy`: none, so many hops, or proxies in these networks. */
export type TrustProxy = false | number | readonly string[];

/** The setting TRUST_PROXY; `undefined` where it is none of the three. */
export function parseTrustProxy(text: string): TrustProxy | undefined {
  if (text === 'off') return false;
  if (/^[1-9]$/.test(text)) return Number(text);
  const networks = text.split(',').map((part) => part.trim());
  return networks.every((network) => parseNetwork(network)) ? networks : undefined;
}
