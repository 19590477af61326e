/** The addresses of a host, as this machine resolves it, and whether the internet can reach them. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { error, namesOf, type Problem, warning } from './finding.ts';
import { isPrivateAddress } from './private-address.ts';

export type ResolvedHost = { readonly addresses: readonly string[]; readonly problems: readonly Problem[] };

/** `host` without the brackets of IPv6. */
export async function resolveHost(host: string, onInternet: boolean): Promise<ResolvedHost> {
  const addresses = isIP(host)
    ? [host]
    : await lookup(host, { all: true }).then(
        (found) => found.map(({ address }) => address),
        () => [],
      );
  if (addresses.length === 0) {
    const found = `the name ${host} cannot be resolved here`;
    return { addresses, problems: [error(found, `enter ${host} into the public DNS, or correct the name`)] };
  }
  const closed = addresses.filter(isPrivateAddress);
  if (!onInternet || closed.length === 0) return { addresses, problems: [] };
  const found = `${host} is ${namesOf(closed)} here, which Graph cannot reach`;
  const cure =
    'let the public DNS name a public address; where only this network sees it so, ask from outside as well';
  return { addresses, problems: [warning(found, cure)] };
}
