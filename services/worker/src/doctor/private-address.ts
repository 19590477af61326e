/** Addresses that nobody out on the internet can reach (IANA special-purpose address registries). Pure. */
import { BlockList, isIP } from 'node:net';

const NOT_PUBLIC = new BlockList();
const IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['240.0.0.0', 4],
];
const IPV6: readonly (readonly [string, number])[] = [
  ['::', 128],
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
];
for (const [network, bits] of IPV4) NOT_PUBLIC.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of IPV6) NOT_PUBLIC.addSubnet(network, bits, 'ipv6');

export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  // Node knows `::ffff:10.0.0.1` for the IPv4 address that it is.
  return NOT_PUBLIC.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
