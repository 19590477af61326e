/** docker-compose.yml as Compose's own parser reads it, and what stands beside it for Prometheus and Grafana. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { programVersion, runProgram } from '@graph2kafka/test-harness';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { createReceiverMetrics } from '../../services/receiver/src/receiver-metrics.ts';
import { createMetrics } from '../../services/worker/src/admin/metrics.ts';
import { composeService, containerEnvironment, serviceNames } from '../settings/compose-file.ts';
import { isInRepository, readRepositoryFile } from '../settings/repository-file.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PARSER = join(ROOT, 'deploy/validate/compose-go');
const FOLDER = 'deploy/compose';
const PROFILES = ['demo', 'monitoring', 'kafka-ui'];

/** As somebody with a tenant fills in .env. */
const REAL = {
  ...parseEnv(readRepositoryFile('.env.example')),
  AZURE_TENANT_ID: '11111111-2222-3333-4444-555555555555',
  CLIENT_STATE_SECRETS: 'kept-in-a-safe-place',
  RECEIVERS: '2',
  WORKERS: '3',
  RECEIVER_PORTS: '8080-8089',
};

type Parsed = {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly command: readonly string[] | null;
        readonly environment?: Readonly<Record<string, string | null>>;
        readonly deploy?: { readonly replicas?: number };
        readonly restart?: string;
        readonly read_only?: boolean;
        readonly volumes?: readonly { readonly type: string; readonly source: string }[];
      }
    >
  >;
};

/** 1.21 is the first Go that fetches a newer one where a module asks for it. */
async function canRunGo(): Promise<boolean> {
  const [, minor = '0'] = /go1\.(\d+)/.exec((await programVersion('go', ['version'])) ?? '') ?? [];
  return Number(minor) >= 21;
}

const hasGo = await canRunGo();
const hasPromtool = (await programVersion('promtool')) !== undefined;
const without = (has: boolean, program: string) => (has ? '' : ` (skipped: there is no ${program} on PATH)`);
if (!hasGo)
  process.stderr.write('docker-compose.yml is not validated: there is no Go 1.21 or later on PATH\n');
if (!hasPromtool) process.stderr.write('Prometheus’ files are not checked: there is no promtool on PATH\n');

describe.skipIf(!hasGo)(`Compose’s own parser${without(hasGo, 'go')}`, () => {
  let parser = '';
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'graph2kafka-parser-'));
    parser = join(folder, 'compose-go');
    // Its modules come from the network the first time.
    await runProgram('go', ['build', '-o', parser, '.'], { workingDirectory: PARSER });
    return () => rm(folder, { recursive: true, force: true });
  }, 180_000);

  async function parsed(environment: Readonly<Record<string, string | undefined>> = {}): Promise<Parsed> {
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const words = ['-i', `HOME=${tmpdir()}`, ...variables, parser, 'docker-compose.yml', ...PROFILES];
    const { stdout } = await runProgram('env', words, { workingDirectory: ROOT });
    return JSON.parse(stdout) as Parsed;
  }

  it.each([
    ['as it stands', {}],
    ['with the settings of a tenant', REAL],
  ])('takes docker-compose.yml %s', async (_how, environment) => {
    const { services } = await parsed(environment);
    expect(Object.keys(services).sort()).toEqual([...serviceNames].sort());
  });

  it.each([
    ['as it stands', {}],
    ['with the settings of a tenant', REAL],
  ])('reads %s the commands and environments that these tests go by', async (_how, environment) => {
    const { services } = await parsed(environment);
    for (const name of serviceNames) {
      const given = Object.entries(services[name]?.environment ?? {}).filter(([, value]) => value !== null);
      const ours = Object.entries(containerEnvironment(name, environment));
      expect
        .soft(Object.fromEntries(given), name)
        .toEqual(Object.fromEntries(ours.filter(([, value]) => value !== undefined)));
      expect
        .soft(services[name]?.command ?? [], name)
        .toEqual(composeService(name, environment).command ?? []);
    }
  });

  it('reads how many receivers and workers there are to be', async () => {
    const one = (await parsed()).services;
    expect([one.receiver?.deploy?.replicas, one.worker?.deploy?.replicas]).toEqual([1, 1]);
    const several = (await parsed(REAL)).services;
    expect([several.receiver?.deploy?.replicas, several.worker?.deploy?.replicas]).toEqual([2, 3]);
  });

  it('refuses a file with a field that there is not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'graph2kafka-compose-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const spoiled = readRepositoryFile('docker-compose.yml').replace('    restart:', '    restarts:');
    await writeFile(join(folder, 'spoiled.yml'), spoiled);
    await expect(runProgram(parser, [join(folder, 'spoiled.yml')])).rejects.toThrow('restarts');
  });
});

describe('docker-compose.yml', () => {
  const raw = parse(readRepositoryFile('docker-compose.yml'), { merge: true }) as Parsed;

  it('has every service come back after a fault, but the simulator, which would be another one', () => {
    for (const name of serviceNames) {
      expect.soft(raw.services[name]?.restart, name).toBe(name === 'simulator' ? 'no' : 'unless-stopped');
    }
  });

  it('names an image of each tag for what it builds', () => {
    const environment = { IMAGE_REGISTRY: 'registry.example/g2k', IMAGE_TAG: '1.2.3' };
    const names = { receiver: 'receiver', worker: 'worker', simulator: 'graph-simulator' };
    for (const [service, image] of Object.entries(names)) {
      expect.soft(composeService(service, environment).image).toBe(`registry.example/g2k/${image}:1.2.3`);
      expect.soft(composeService(service).image).toBe(`graph2kafka/${image}:latest`);
    }
  });

  it('mounts files of this repository that are there', () => {
    const sources = serviceNames
      .flatMap((name) => composeService(name).volumes ?? [])
      .filter((volume) => typeof volume === 'string')
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((source) => source.startsWith('./'));
    expect(sources.length).toBeGreaterThan(3);
    expect(sources.filter((source) => !isInRepository(source))).toEqual([]);
  });

  it('has Prometheus ask at the ports where the services show their metrics', () => {
    const { scrape_configs: jobs } = parse(readRepositoryFile(`${FOLDER}/prometheus.yml`)) as {
      scrape_configs: { job_name: string; dns_sd_configs?: { names: string[]; port: number }[] }[];
    };
    const asked = jobs.flatMap(({ dns_sd_configs: found }) => found ?? []);
    expect(asked.map(({ names, port }) => [...names, String(port)])).toEqual([
      ['receiver', containerEnvironment('receiver').METRICS_PORT],
      ['worker', containerEnvironment('worker').ADMIN_PORT],
    ]);
  });
});

/** Of both services; a histogram goes by three names more. */
function metricNames(): Set<string> {
  const notAsked = undefined as never;
  const registries = [
    createMetrics(notAsked, notAsked, notAsked, notAsked, notAsked).registry,
    createReceiverMetrics({ acks: notAsked, refusal: notAsked }).registry,
  ];
  const names = registries.flatMap((registry) => registry.getMetricsAsArray().map(({ name }) => name));
  return new Set(names.flatMap((name) => [name, `${name}_bucket`, `${name}_count`, `${name}_sum`]));
}

const metricsIn = (text: string) => new Set(text.match(/\b(?:g2k|process|nodejs)_[a-z0-9_]+/g) ?? []);

describe('the alarms and the dashboard', () => {
  const alerts = readRepositoryFile(`${FOLDER}/alerts.yml`);
  const dashboard = readRepositoryFile(`${FOLDER}/grafana/dashboards/graph2kafka.json`);

  it('ask for metrics that there are', () => {
    const known = metricNames();
    const asked = [...metricsIn(alerts), ...metricsIn(dashboard)];
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });

  it('watch every metric that docs/operations.md names as an alarm', () => {
    const [, after = ''] = readRepositoryFile('docs/operations.md').split('\n## Alarms\n');
    const table = after.split('\n## ')[0] ?? '';
    const firstCells = table.split('\n').map((row) => row.split(/(?<!\\)\|/)[1] ?? '');
    const named = [...metricsIn(firstCells.join('\n'))];
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !metricsIn(alerts).has(name))).toEqual([]);
  });

  it('are drawn beside each other, from the source that is provisioned', () => {
    const { panels } = JSON.parse(dashboard) as {
      panels: { id: number; gridPos: { x: number; w: number }; datasource?: { uid: string } }[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
    const { datasources } = parse(
      readRepositoryFile(`${FOLDER}/grafana/provisioning/datasources/prometheus.yml`),
    ) as { datasources: { uid: string }[] };
    const uids = new Set(panels.flatMap(({ datasource }) => (datasource ? [datasource.uid] : [])));
    expect([...uids]).toEqual(datasources.map(({ uid }) => uid));
  });
});

describe.skipIf(!hasPromtool)(`promtool${without(hasPromtool, 'promtool')}`, () => {
  const promtool = (...args: string[]) =>
    runProgram('promtool', args, { workingDirectory: join(ROOT, FOLDER) });

  it('takes the configuration of Prometheus', async () => {
    const { stdout } = await promtool('check', 'config', '--syntax-only', 'prometheus.yml');
    expect(stdout).toContain('SUCCESS');
  });

  it('finds each alarm raised when it should be, and silent when not', async () => {
    const { groups } = parse(readRepositoryFile(`${FOLDER}/alerts.yml`)) as {
      groups: { rules: { alert: string }[] }[];
    };
    const names = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    const { tests } = parse(readRepositoryFile(`${FOLDER}/alerts.test.yml`)) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const expected = tests.flatMap(({ alert_rule_test: all }) => all);
    for (const name of names) {
      const ofIt = expected.filter(({ alertname }) => alertname === name);
      expect
        .soft(
          ofIt.some(({ exp_alerts: raised }) => raised.length > 0),
          `${name} is raised`,
        )
        .toBe(true);
      expect
        .soft(
          ofIt.some(({ exp_alerts: raised }) => raised.length === 0),
          `${name} is silent`,
        )
        .toBe(true);
    }
    const { stdout } = await promtool('test', 'rules', 'alerts.test.yml');
    expect(stdout).toContain('SUCCESS');
  });

  it('takes the queries of the dashboard', async () => {
    const { panels } = JSON.parse(readRepositoryFile(`${FOLDER}/grafana/dashboards/graph2kafka.json`)) as {
      panels: { targets?: { expr: string }[] }[];
    };
    const queries = panels.flatMap(({ targets }) => targets ?? []).map(({ expr }) => expr);
    expect(queries.length).toBeGreaterThan(15);
    const rules = {
      groups: [{ name: 'dashboard', rules: queries.map((expr, i) => ({ record: `panel:${i}`, expr })) }],
    };
    const folder = await mkdtemp(join(tmpdir(), 'graph2kafka-queries-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'queries.yml'), JSON.stringify(rules));
    expect((await promtool('check', 'rules', join(folder, 'queries.yml'))).stdout).toContain('SUCCESS');
  });
});
