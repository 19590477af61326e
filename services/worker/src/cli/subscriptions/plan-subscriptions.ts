/** `g2k plan` */
import type { CommandDeps } from '../execute-command.ts';
import { plainJson, plainText } from '../plain-text.ts';
import { isColoured } from '../terminal.ts';
import type { AskedFleet } from './asked-fleet.ts';
import { type FleetPlan, planFleet, preparePlanning } from './plan-fleet.ts';
import { changeLine, countsOfChanges } from './planned-changes.ts';

/** Resolves to the exit code: 0 where there is nothing to do, 2 where there is. */
export async function showPlan(
  { offline, json }: { readonly offline: boolean; readonly json: boolean },
  opened: AskedFleet,
  { environment, terminal, now }: CommandDeps,
): Promise<number> {
  const planning = await preparePlanning(opened, environment, now);
  const plan = await planFleet(opened, planning, !offline);
  const coloured = isColoured(terminal, environment);
  for (const change of plan.changes) terminal.out(json ? plainJson(change) : changeLine(change, coloured));
  for (const line of remarks(plan)) terminal.err(line);
  if (!json) terminal.out(countsLine(plan));
  return plan.changes.length === 0 && plan.unread.length === 0 ? 0 : 2;
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
