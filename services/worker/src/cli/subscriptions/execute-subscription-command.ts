/** A command on subscriptions, done; what it opened is closed whatever comes. */
import { WantedSubscriptionsError } from '../../declaration/declaration-error.ts';
import { GraphError } from '../../graph/graph-error.ts';
import { LeaseLostError } from '../../subscriptions/fleet.ts';
import { HeldUpError } from '../../subscriptions/graph-calls.ts';
import { CommandError } from '../command-error.ts';
import type { CommandDeps } from '../execute-command.ts';
import { UsageError } from '../usage-error.ts';
import { applyPlan } from './apply-plan.ts';
import { type AskedFleet, openAskedFleet } from './asked-fleet.ts';
import { createByHand, keepByHand } from './create-subscription.ts';
import { deleteSubscriptions } from './delete-subscriptions.ts';
import { exportSubscriptions } from './export-subscriptions.ts';
import { graphTroubleLine } from './graph-trouble-line.ts';
import { type KnownFleet, openKnownFleet } from './known-fleet.ts';
import { listSubscriptions } from './list-subscriptions.ts';
import { showPlan } from './plan-subscriptions.ts';
import { renewSubscriptions } from './renew-subscriptions.ts';
import { showSubscription } from './show-subscription.ts';
import { type KnownSettings, loadKnownSettings } from './subscription-settings.ts';
import type { SubscriptionCommand } from './subscription-words.ts';

/** Resolves to the exit code; rejects with a `CommandError` that is a line for the operator. */
export async function executeOnSubscriptions(
  command: SubscriptionCommand,
  deps: CommandDeps,
): Promise<number> {
  try {
    return await execute(command, deps);
  } catch (error) {
    throw explained(error);
  }
}

function explained(error: unknown): unknown {
  if (error instanceof GraphError) return new CommandError(graphTroubleLine(error), { cause: error });
  if (error instanceof HeldUpError) return new CommandError(`Graph takes ${error.message}: try again then`);
  if (error instanceof LeaseLostError)
    return new CommandError(`${error.message}: nothing more was done; try again`);
  return error instanceof WantedSubscriptionsError ? new CommandError(error.message) : error;
}

async function execute(command: SubscriptionCommand, deps: CommandDeps): Promise<number> {
  const { terminal, now } = deps;
  switch (command.name) {
    case 'list-subscriptions':
      return withKnown(deps, (known, settings) => listSubscriptions(command, settings, known, deps));
    case 'show-subscription':
      return withKnown(deps, (known) => showSubscription(command, known, terminal, now()));
    case 'renew':
      return withAsked(deps, (asked) => renewSubscriptions(command, asked, terminal, now));
    case 'delete':
      return withAsked(deps, (asked) =>
        deleteSubscriptions(command.subjects, asked, confirming(command, deps), terminal, now),
      );
    case 'create':
      return withAsked(deps, (asked) =>
        command.keep
          ? keepByHand(command, asked, terminal, now())
          : createByHand(command, asked, terminal, now),
      );
    case 'export':
      return withAsked(deps, (asked) => exportSubscriptions(command, asked, terminal));
    case 'plan':
      return withAsked(deps, (asked) => showPlan(command, asked, deps));
    case 'apply':
      return withAsked(deps, (asked) => applyPlan(asked, confirming(command, deps), deps));
  }
}

/** Throws a `UsageError` where nobody can be asked. */
function confirming({ yes }: { readonly yes: boolean }, { terminal }: CommandDeps) {
  if (!yes && !terminal.isInteractive) throw new UsageError('nobody can be asked here: --yes does it');
  return async (question: string) => yes || /^y(es)?$/i.test((await terminal.ask(question)).trim());
}

async function withKnown(
  { environment, now }: CommandDeps,
  act: (known: KnownFleet, settings: KnownSettings) => Promise<number>,
): Promise<number> {
  const settings = await loadKnownSettings(environment);
  const known = await openKnownFleet(settings, now);
  try {
    return await act(known, settings);
  } finally {
    known.close();
  }
}

async function withAsked(
  { environment, now }: CommandDeps,
  act: (asked: AskedFleet) => Promise<number>,
): Promise<number> {
  const asked = await openAskedFleet(environment, now);
  try {
    return await act(asked);
  } finally {
    await asked.close();
  }
}
