/** `g2k plan` */
import type { CommandDeps } from '../execute-command.ts';
import { plainJson, plainText } from '../plain-text.ts';
import { isColoured, type Terminal } from '../terminal.ts';
import type { AskedFleet } from './asked-fleet.ts';
import { listLine } from './follow-progress.ts';
import { type FleetPlan, type OnPage, planFleet, preparePlanning } from './plan-fleet.ts';
import { changeLine, countsOfChanges } from './planned-changes.ts';

/** Resolves to the exit code: 0 where there is nothing to do, 2 where there is. */
export async function showPlan(
  { offline, json }: { readonly offline: boolean; readonly json: boolean },
  opened: AskedFleet,
  { environment, terminal, now }: CommandDeps,
): Promise<number> {
  const planning = await preparePlanning(opened, environment, now);
  const plan = await (offline
    ? planFleet(opened, planning)
    : listing(terminal, (onPage) => planFleet(opened, planning, onPage)));
  const coloured = isColoured(terminal, environment);
  for (const change of plan.changes) terminal.out(json ? plainJson(change) : changeLine(change, coloured));
  for (const line of remarks(plan)) terminal.err(line);
  if (!json) terminal.out(countsLine(plan));
  return plan.changes.length === 0 && plan.unread.length === 0 ? 0 : 2;
}

/** Where lines stay, as in a log. */
const SAY_EVERY_MS = 10_000;

/** A large list takes its time; on a terminal that shows at once. */
export async function listing<T>(
  { err, status }: Terminal,
  read: (onPage: OnPage) => Promise<T>,
): Promise<T> {
  let saidAt = performance.now();
  const say = (nth: number) => {
    const line = listLine(nth);
    if (status) return status(line);
    if (performance.now() - saidAt < SAY_EVERY_MS) return;
    saidAt = performance.now();
    err(line);
  };
  try {
    return await read(say);
  } finally {
    status?.(undefined);
  }
}

export function remarks({ unread }: FleetPlan): string[] {
  if (unread.length === 0) return [];
  return [
    plainText(
      `whom these entries mean was not asked yet, \`g2k apply\` or a worker does: ${unread.join(', ')}`,
    ),
  ];
}

export function countsLine({ changes, wanted }: FleetPlan): string {
  return `${wanted} wanted: ${countsOfChanges(changes)}.`;
}
