/** What was typed, and what it means. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { helpText, type Topic } from '../../src/cli/help.ts';
import { FILTER_FIELDS } from '../../src/cli/letter-filter.ts';
import { SUBSCRIPTION_WORDS } from '../../src/cli/subscriptions/subscription-words.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

const LEAVES: readonly Topic[] = [
  ...SUBSCRIPTION_WORDS.map((word) => `g2k ${word}` as const),
  'list',
  'show',
  'replay',
  'list-certificates',
  'rotate',
  'doctor',
];

const parse = (line: string) => parseCommandLine(line === '' ? [] : line.split(' '));

describe('the command line', () => {
  it.each([
    ['dead-letters list', { name: 'list', filters: [], limit: 100, json: false }],
    [
      'dead-letters list --filter a=1 --filter b=2 --limit 7 --json',
      { filters: ['a=1', 'b=2'], limit: 7, json: true },
    ],
    ['dead-letters show 3:1042 --json', { name: 'show', letter: '3:1042', json: true }],
    ['dead-letters show -- -x_Y', { name: 'show', letter: '-x_Y', json: false }],
    [`dead-letters show --${'x'.repeat(41)} --json`, { letter: `--${'x'.repeat(41)}`, json: true }],
    ['dead-letters replay --filter a=1', { name: 'replay', filters: ['a=1'], dryRun: false, yes: false }],
    ['dead-letters replay --all --dry-run --yes', { filters: [], dryRun: true, yes: true }],
    ['certificates list --json', { name: 'list-certificates', json: true }],
    [
      'certificates rotate',
      { name: 'rotate', folder: undefined, startsInMinutes: 10, days: 365, bits: 2048, dryRun: false },
    ],
    [
      'certificates rotate --starts-in 0 --days 90 --bits 4096 --out /keys --dry-run',
      { folder: '/keys', startsInMinutes: 0, days: 90, bits: 4096, dryRun: true },
    ],
    ['certificates', { name: 'help', topic: 'certificates' }],
    ['certificates list -h', { name: 'help', topic: 'list-certificates' }],
    ['certificates rotate --help', { name: 'help', topic: 'rotate' }],
    ['', { name: 'help', topic: 'g2k' }],
    ['--help', { name: 'help', topic: 'g2k' }],
    ['dead-letters', { name: 'help', topic: 'dead-letters' }],
    ['dead-letters list --help', { name: 'help', topic: 'list' }],
    ['dead-letters show -h', { name: 'help', topic: 'show' }],
    ['dead-letters replay --help', { name: 'help', topic: 'replay' }],
  ])('%j is understood', (line, command) => expect(parse(line)).toMatchObject(command));

  it.each([
    [
      'deadletters list',
      'there is no command "deadletters": write plan, apply, list, show, renew, delete, create, export, dead-letters, certificates or doctor',
    ],
    ['certificates renew', 'there is no command "renew": write list or rotate'],
    ['certificates rotate --days 0', '--days: must be a whole number from 1 to 3650'],
    ['certificates rotate --starts-in soon', '--starts-in: must be a whole number from 0 to 10080'],
    ['certificates rotate --bits 1024', '--bits: must be 2048 or 4096'],
    ['dead-letters delete', 'there is no command "delete": write list, show or replay'],
    ['dead-letters list --fliter a=1', "Unknown option '--fliter'"],
    ['dead-letters list --filter', "'--filter <value>' argument missing"],
    ['dead-letters list more', "Unexpected argument 'more'"],
    ['dead-letters list --limit 0', '--limit: must be a whole number from 1 to 100000'],
    ['dead-letters list --limit all', '--limit: must be a whole number'],
    ['dead-letters show', 'show takes one dead letter'],
    ['dead-letters show --frob 1:2', "Unknown option '--frob'"],
    ['dead-letters show 1:2 1:3', 'show takes one dead letter'],
    ['dead-letters replay', '--filter …, or --all'],
    ['dead-letters replay --yes', '--filter …, or --all'],
    ['dead-letters replay --all --filter a=1', '--all and --filter exclude each other'],
  ])('%j is refused with what is wrong', (line, problem) => {
    expect(() => parse(line)).toThrow(UsageError);
    expect(() => parse(line)).toThrow(problem);
  });
});

/** The lines of a text that begin with the command, as a shell hands them to it. */
function examplesIn(text: string): string[][] {
  const whole = text.replaceAll(/\\\n\s*/g, '').split('\n');
  return whole.flatMap((line) => {
    const typed = /^ *(?:\$ )?(?:[A-Z_]+=\S+ )?g2k ((?:'[^']*'|[^'|>;&#])*)/.exec(line)?.[1];
    if (typed === undefined) return [];
    return [(typed.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ''))];
  });
}

describe('the help', () => {
  it.each(LEAVES)('on %s has a usage, examples that are understood, its settings and exit codes', (topic) => {
    const text = helpText(topic);
    for (const part of [/^Usage: g2k /m, /^Examples?:$/m, /^Settings: /m, /^Exit code: 0 /m])
      expect(text).toMatch(part);
    const [, examples = ''] = text.split(/^Examples?:$/m);
    const commands = examplesIn(examples);
    expect(commands.length).toBeGreaterThan(0);
    for (const words of commands) expect(parseCommandLine(words).name).not.toBe('help');
  });

  it.each(['README.md', 'docs/operations.md', 'docs/dead-letters.md'])(
    'and %s type commands that there are',
    (file) => {
      const text = readFileSync(new URL(`../../../../${file}`, import.meta.url), 'utf8');
      const fences = [...text.matchAll(/^ *```\w*\n(.*?)^ *```/gms)].map(([, code = '']) =>
        code.replaceAll('npx --yes pnpm@12 --silent g2k', 'g2k'),
      );
      const commands = fences.flatMap(examplesIn);
      expect(commands.length).toBeGreaterThan(2);
      for (const words of commands) expect(parseCommandLine(words).name).not.toBe('help');
    },
  );

  it('fits a terminal of 120 columns', () => {
    const wide = [...LEAVES, 'g2k' as const].filter((topic) =>
      helpText(topic)
        .split('\n')
        .some((line) => line.length > 120),
    );
    expect(wide).toEqual([]);
  });

  it.each(['list', 'replay'] as const)('on %s names every field of a filter', (topic) => {
    const missing = FILTER_FIELDS.filter((field) => !helpText(topic).includes(field));
    expect(missing).toEqual([]);
  });
});
