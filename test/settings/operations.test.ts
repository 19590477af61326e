// docs/operations.md says of settings, metrics and log lines what the code says.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { sharedSettings } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import { receiverSettings } from '../../services/receiver/src/config.ts';
import { createReceiverMetrics } from '../../services/receiver/src/receiver-metrics.ts';
import { createMetrics } from '../../services/worker/src/admin/metrics.ts';
import { workerSettings } from '../../services/worker/src/config.ts';
import { readRepositoryFile } from './repository-file.ts';
import { type Setting, settingsOf } from './setting.ts';

const TEXT = readRepositoryFile('docs/operations.md');
const ROOT = resolve(import.meta.dirname, '../..');

/** Rows of the tables under a heading, without head and rule. */
function rowsUnder(heading: string): string[] {
  const [, after = ''] = TEXT.split(`\n${heading}\n`);
  const section = after.split(/\n##+ /)[0] ?? '';
  return section.split('\n').filter((line) => line.startsWith('| `'));
}

function rowOf({ name, description, default: byDefault, isRequired }: Setting): string {
  const value = isRequired ? 'required' : byDefault === '' ? 'none' : `\`${byDefault}\``;
  return `| \`${name}\` | ${value} | ${description} |`;
}

/** What one service has beside the shared settings. */
function ownRows(shape: Parameters<typeof settingsOf>[0]): string[] {
  return settingsOf(shape)
    .filter(({ name }) => !(name in sharedSettings))
    .map(rowOf);
}

const firstCell = (row: string) => row.split('|')[1]?.trim().replaceAll('`', '');

describe('the settings tables', () => {
  it('have the settings of both services', () => {
    expect(rowsUnder('### Both services')).toEqual(settingsOf(sharedSettings).map(rowOf));
  });

  it('have the settings of the receiver', () => {
    expect(rowsUnder('### Receiver')).toEqual(ownRows(receiverSettings.shape));
  });

  it('have the settings of the worker', () => {
    expect(rowsUnder('### Worker')).toEqual(ownRows(workerSettings.shape));
  });

  it('say of what Compose alone reads the same as .env.example', () => {
    const [, ofComposeAlone = ''] = readRepositoryFile('.env.example').split(
      '# --- Docker Compose alone ---',
    );
    const variables = [...ofComposeAlone.matchAll(/^# (.*)\n([A-Z_]+)=(.*)$/gm)];
    const rows = variables.map(([, description = '', name = '', value = '']) =>
      rowOf({ name, description, default: value, isRequired: false }),
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rowsUnder('### Docker Compose alone')).toEqual(rows);
  });
});

describe('the table of metrics', () => {
  it('has every metric of the worker, in the words of its help', () => {
    // What their values are read from is not asked for them here.
    const notAsked = undefined as never;
    const { registry } = createMetrics(notAsked, notAsked, notAsked, notAsked, notAsked);
    const metrics = registry.getMetricsAsArray();
    const expected = metrics
      .filter(({ name }) => name.startsWith('g2k_'))
      .map(({ name, help }) => `${name}: ${help}`);
    const rows = rowsUnder('## Metrics').map((row) => `${firstCell(row)}: ${row.split('|')[3]?.trim()}`);
    expect(rows.sort()).toEqual(expected.sort());
  });
});

describe('the table of metrics of the receiver', () => {
  it('has every metric of the receiver, in the words of its help', () => {
    // What their values are read from is not asked for them here.
    const notAsked = undefined as never;
    const metrics = createReceiverMetrics({ acks: notAsked, refusal: notAsked }).registry.getMetricsAsArray();
    const expected = metrics
      .filter(({ name }) => name.startsWith('g2k_'))
      .map(({ name, help }) => `${name}: ${help}`);
    const rows = rowsUnder('### Metrics of the receiver').map(
      (row) => `${firstCell(row)}: ${row.split('|')[3]?.trim()}`,
    );
    expect(rows.sort()).toEqual(expected.sort());
  });
});

function sourcesOf(folder: string): string {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readRepositoryFile(join(folder, name)))
    .join('\n');
}

describe('the log lines', () => {
  const sources = ['packages/shared/src', 'services/receiver/src', 'services/worker/src']
    .map(sourcesOf)
    .join('\n');
  const NAME = /^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/;
  const tabled = rowsUnder('## Log lines').map(firstCell);

  it('have every name of a warning or an error', () => {
    const calls = sources.matchAll(/\.(?:warn|error|fatal)\(([^;]*?)'([a-z-]+\.[a-z-]+)'\s*,?\s*\)/g);
    const names = new Set([...calls].map(([, , name]) => name));
    expect(names.size).toBeGreaterThan(10);
    expect([...names].filter((name) => !tabled.includes(name))).toEqual([]);
  });

  it('are all in the sources', () => {
    const section = TEXT.split('\n## Log lines\n')[1]?.split('\n## ')[0] ?? '';
    const named = [...section.matchAll(/`([^`]+)`/g)]
      .map(([, name = '']) => name)
      .filter((name) => NAME.test(name));
    const unknown = [...new Set([...named, ...tabled])].filter((name) => !sources.includes(`'${name}'`));
    expect(unknown.filter((name) => name !== 'err.message')).toEqual([]);
  });
});

describe('the links', () => {
  it('lead to headings that are there', () => {
    const headings = [...TEXT.matchAll(/^##+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    );
    const links = [...TEXT.matchAll(/\]\(#([a-z0-9-]+)\)/g)].map(([, anchor = '']) => anchor);
    expect(links.length).toBeGreaterThan(0);
    expect([...new Set(links)].filter((anchor) => !headings.includes(anchor))).toEqual([]);
  });
});
