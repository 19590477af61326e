/** What a benchmark says, for people and for machines. Pure. */
import type { Machine } from '../measure/machine.ts';
import { short } from './numbers.ts';
import { renderTable } from './text-table.ts';

/** Something that was demanded before it was measured. */
export type Claim = {
  readonly text: string;
  readonly holds: boolean;
};

export type Report = {
  readonly benchmark: string;
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What a reader has to know to read the table rightly. */
  readonly notes: readonly string[];
  readonly claims: readonly Claim[];
  /** The same with full precision; the fields' names tell the units. */
  readonly results: unknown;
};

const NOISE =
  'Absolute numbers on a shared machine are noisy; rely on ratios within one run, which were measured side by side.';

export function renderReport(report: Report, machine: Machine): string {
  const claims = report.claims.map(({ text, holds }) => `${holds ? 'holds' : 'FAILS'}  ${text}`);
  return [
    '',
    report.title,
    describe(machine),
    '',
    renderTable(report.header, report.rows),
    '',
    ...claims,
    ...(claims.length > 0 ? [''] : []),
    ...report.notes,
    NOISE,
    '',
  ].join('\n');
}

/** One line of JSON. `startedAt` in epoch ms. */
export function renderJson(report: Report, machine: Machine, startedAt: number): string {
  const { benchmark, claims, results } = report;
  return `${JSON.stringify({ benchmark, startedAt: new Date(startedAt).toISOString(), machine, claims, results })}\n`;
}

function describe(machine: Machine): string {
  const { cpu, cores, memoryGb, system, node, redis, loadAverage, syncP50Ms, syncP99Ms } = machine;
  return [
    `${cores} cores of ${cpu}, ${memoryGb} GB, ${system}, Node ${node}, Redis ${redis ?? 'from Maven Central'}`,
    `one synced write to this disk takes ${short(syncP50Ms)} ms (p50), ${short(syncP99Ms)} ms (p99); ` +
      `load of the machine before: ${loadAverage.toFixed(1)}`,
  ].join('\n');
}
