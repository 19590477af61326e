/** Findings as lines for people. Pure. */
import { styleText } from 'node:util';
import type { Finding } from '../doctor/finding.ts';
import { plainText } from './plain-text.ts';

const COLOURS = { ok: 'green', warning: 'yellow', error: 'red' } as const;

/** As wide as the longest, `warning` and `subscriptions`. */
const LEVEL_WIDTH = 7;
const CHECK_WIDTH = 13;

/** `error    kafka          Kafka has no topic graph.events; cure: create it, …` */
export function lineOf(finding: Finding, coloured: boolean): string {
  const { level, check, found } = finding;
  const word = level.padEnd(LEVEL_WIDTH);
  // Whether colours are wanted is decided by who knows where the line goes.
  const shown = coloured ? styleText(COLOURS[level], word, { validateStream: false }) : word;
  const cure = finding.level === 'ok' ? '' : `; cure: ${plainText(finding.cure)}`;
  return `${shown}  ${check.padEnd(CHECK_WIDTH)}  ${plainText(found)}${cure}`;
}

export function countsOf(findings: readonly Finding[]): string {
  const number = (wanted: Finding['level']) => findings.filter(({ level }) => level === wanted).length;
  const [errors, warnings] = [number('error'), number('warning')];
  if (errors + warnings === 0) return 'all is well';
  const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
  return `${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
}
