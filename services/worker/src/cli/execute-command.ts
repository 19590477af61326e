/** A command that was understood, done; apart from the command line, so that `--help` waits for no Kafka client. */
import { ConfigError, type Environment } from '@graph2kafka/shared';
import { listCertificates } from './certificate-list.ts';
import { rotateCertificate } from './certificate-rotation.ts';
import {
  loadCertificateSettings,
  loadReadingSettings,
  loadReplayingSettings,
  loadRotationSettings,
} from './cli-settings.ts';
import { CommandError } from './command-error.ts';
import type { Command } from './command-line.ts';
import { parseFilters } from './letter-filter.ts';
import { listLetters } from './list-command.ts';
import { plainText } from './plain-text.ts';
import { ReadLettersError } from './read-letters.ts';
import { RedisAwayError } from './redis-place.ts';
import { replayLetters } from './replay-command.ts';
import { showLetter } from './show-command.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

export type CommandDeps = {
  readonly environment: Environment;
  readonly terminal: Terminal;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Has `stop` called once at Ctrl-C, instead of ending the process; what is returned takes that back. */
  readonly onInterrupt?: (stop: () => void) => () => void;
};

type DoableCommand = Exclude<Command, { name: 'help' }>;

/** Resolves to the exit code, 0 or 1; rejects with a `UsageError` where the words of the command contradict the place. */
export async function executeCommand(command: DoableCommand, deps: CommandDeps): Promise<number> {
  try {
    return await execute(command, deps);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    deps.terminal.err(`g2k: ${lineFor(error)}`);
    return 1;
  }
}

/** Of what nobody has foreseen, where it is from, for whoever mends it; a stack trace is of no use to who typed. */
function lineFor(error: unknown): string {
  if (!(error instanceof Error)) return 'failed, and nothing says why; report it with what you have typed';
  if (FOR_OPERATORS.some((kind) => error instanceof kind)) return error.message;
  if (error.name === 'ReplyError')
    return `Redis refuses: ${plainText(error.message)}; cure: \`g2k doctor\` says what is wrong`;
  const place = /[\w.-]+\.[jt]s:\d+:\d+/.exec(error.stack ?? '')?.[0] ?? 'an unknown place';
  // Its text may hold anything.
  return `a mistake of ours: ${error.name} at ${place}; report it with what you have typed`;
}

const FOR_OPERATORS = [ConfigError, ReadLettersError, RedisAwayError, CommandError] as const;

async function execute(command: DoableCommand, deps: CommandDeps): Promise<number> {
  const { environment, terminal, now } = deps;
  switch (command.name) {
    case 'list': {
      const matches = parseFilters(command.filters, now());
      return listLetters(command, matches, await loadReadingSettings(environment), terminal, now());
    }
    case 'show':
      return showLetter(command, await loadReadingSettings(environment), terminal);
    case 'replay':
      return replay(command, { environment, terminal, now });
    case 'doctor': {
      // Takes clients of everything; the others wait for none of them.
      const { doctor } = await import('./doctor-command.ts');
      return doctor(command, environment, terminal, now);
    }
    case 'list-certificates':
      return listCertificates(command, await loadCertificateSettings(environment), terminal, now);
    case 'rotate':
      return rotateCertificate(command, await loadRotationSettings(environment), terminal, now);
    default: {
      // Takes the clients of Graph.
      const { executeOnSubscriptions } = await import('./subscriptions/execute-subscription-command.ts');
      return executeOnSubscriptions(command, deps);
    }
  }
}

async function replay(
  { filters, dryRun, yes }: Extract<Command, { name: 'replay' }>,
  { environment, terminal, now }: CommandDeps,
): Promise<number> {
  const matches = parseFilters(filters, now());
  if (!dryRun && !yes && !terminal.isInteractive) {
    throw new UsageError('nobody can be asked here: --dry-run says what would be done, --yes does it');
  }
  const isConfirmed = async (question: string) =>
    yes || /^y(es)?$/i.test((await terminal.ask(question)).trim());
  if (dryRun) {
    return replayLetters(matches, await loadReadingSettings(environment), undefined, isConfirmed, terminal);
  }
  const settings = await loadReplayingSettings(environment);
  return replayLetters(matches, settings, settings, isConfirmed, terminal);
}
