/** Rows of the fleet as lines of a table that fits the terminal. Pure. */
import { styleText } from 'node:util';
import type { FleetRow } from '../../listing/fleet-rows.ts';
import type { ListedState } from '../../listing/listed-states.ts';
import { relative } from '../../listing/times.ts';
import { plainText } from '../plain-text.ts';
import { tableLines } from '../table-lines.ts';

export type RowLook = {
  readonly now: number;
  /** Tenant id → what it is called. */
  readonly names: ReadonlyMap<string, string>;
  readonly coloured: boolean;
  /** Absent: lines of any length. */
  readonly columns?: number;
};

type Column = { readonly head: string; readonly cell: (row: FleetRow) => string };

const COLOURS: Readonly<Record<ListedState, Parameters<typeof styleText>[0]>> = {
  serving: 'green',
  failing: 'red',
  skipped: 'yellow',
  waiting: 'cyan',
  replaced: 'gray',
  'by-hand': 'magenta',
};

/**
 * Head and rows. Where they are wider than the terminal, the ids of subscriptions are left out, which `show` has, and
 * reasons have a line of their own.
 */
export function rowLines(rows: readonly FleetRow[], look: RowLook): string[] {
  const all = columnsOf(rows, look);
  const wide = linesOf(rows, [...all.common, all.subscription, all.why], look);
  if (Math.max(...wide.map(({ width }) => width)) <= (look.columns ?? Number.POSITIVE_INFINITY))
    return wide.map(({ line }) => line);
  const [head, ...narrow] = linesOf(rows, all.common, look);
  const withWhy = narrow.flatMap(({ line }, nth) => {
    const row = rows[nth];
    const why = row ? plainText(all.why.cell(row)) : '';
    return why === '' ? [line] : [line, `  ${why}`];
  });
  return [head?.line ?? '', ...withWhy];
}

function columnsOf(rows: readonly FleetRow[], { now, names }: RowLook) {
  const state: Column = { head: 'STATE', cell: (row) => row.state };
  const tenant: Column = {
    head: 'TENANT',
    cell: ({ tenant: id }) => (id === undefined ? '-' : (names.get(id) ?? id)),
  };
  const severalTenants = new Set(rows.map((row) => row.tenant)).size > 1;
  const common: Column[] = [
    state,
    ...(severalTenants ? [tenant] : []),
    { head: 'WISH', cell: ({ wish, resource }) => wish ?? `(${resource})` },
    {
      head: 'EXPIRES',
      cell: ({ expires }) => (expires === undefined ? '-' : relative(Date.parse(expires), now)),
    },
  ];
  const subscription: Column = { head: 'SUBSCRIPTION', cell: ({ subscription: id }) => id ?? '-' };
  const why: Column = { head: 'WHY', cell: (row) => whyOf(row, now) };
  return { common, subscription, why };
}

function whyOf({ reason, detail, nextTry }: FleetRow, now: number): string {
  return [
    ...(reason === undefined ? [] : [detail === undefined ? reason : `${reason}: ${detail}`]),
    ...(nextTry === undefined ? [] : [`next try ${relative(Date.parse(nextTry), now)}`]),
  ].join('; ');
}

function linesOf(rows: readonly FleetRow[], columns: readonly Column[], { coloured }: RowLook) {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const lines = tableLines(
    columns.map(({ head }) => head),
    cells,
  );
  return lines.map((line, nth) => {
    const row = rows[nth - 1];
    const shown = coloured && row ? inColour(line, row.state) : line;
    return { line: shown, width: line.length };
  });
}

/** The state is what a line begins with. */
function inColour(line: string, state: ListedState): string {
  return styleText(COLOURS[state], state, { validateStream: false }) + line.slice(state.length);
}
