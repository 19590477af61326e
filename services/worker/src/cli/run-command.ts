/** One command from what was typed to its exit code: 0 done, 1 failed or nothing matched, 2 not a command. */
import { parseCommandLine } from './command-line.ts';
import type { CommandDeps } from './execute-command.ts';
import { helpText } from './help.ts';
import { SUBSCRIPTION_WORDS } from './subscriptions/subscription-words.ts';
import { UsageError } from './usage-error.ts';

export async function runCommand(words: readonly string[], deps: CommandDeps): Promise<number> {
  const { terminal } = deps;
  try {
    const command = parseCommandLine(words);
    if (command.name === 'help') {
      terminal.out(helpText(command.topic));
      return 0;
    }
    // It takes most of a second to load.
    const { executeCommand } = await import('./execute-command.ts');
    return await executeCommand(command, deps);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.err(`g2k: ${error.message}`);
    terminal.err(`\`${['g2k', ...groupOf(words)].join(' ')} --help\` says more`);
    return 2;
  }
}

function groupOf([word = '']: readonly string[]): string[] {
  return ['dead-letters', 'certificates', 'doctor', ...SUBSCRIPTION_WORDS].includes(word) ? [word] : [];
}
