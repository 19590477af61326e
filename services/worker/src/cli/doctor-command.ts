/** `g2k doctor` */
import type { Environment } from '@graph2kafka/shared';
import { examine } from '../doctor/doctor.ts';
import type { Finding } from '../doctor/finding.ts';
import { countsOf, lineOf } from './doctor-lines.ts';
import { plainJson } from './plain-text.ts';
import { isColoured, type Terminal } from './terminal.ts';

/** Resolves to the exit code: 1 where something is wrong, 0 also with warnings. */
export async function doctor(
  { json }: { readonly json: boolean },
  environment: Environment,
  terminal: Terminal,
  now: () => number,
): Promise<number> {
  const coloured = isColoured(terminal, environment);
  const all: Finding[] = [];
  for await (const findings of examine({ environment, now })) {
    for (const finding of findings) terminal.out(json ? plainJson(finding) : lineOf(finding, coloured));
    all.push(...findings);
  }
  if (!json) terminal.err(countsOf(all));
  return all.some(({ level }) => level === 'error') ? 1 : 0;
}
