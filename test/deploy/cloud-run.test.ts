// Cloud Run: the manifests give the services what they take, the Terraform module gives the same, and others' validators
// agree.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Environment, parseConfig } from '@graph2kafka/shared';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { receiverSettings } from '../../services/receiver/src/config.ts';
import { withPlatformPort, workerSettings } from '../../services/worker/src/config.ts';
import { readRepositoryFile } from '../settings/repository-file.ts';
import { FIRST_TIME_MS, getManifestTools, runManifests, runTool, SCHEMAS } from './support/manifest-tools.ts';
import { withStandInSecrets } from './support/stand-in-secrets.ts';

type Probe = { readonly httpGet: { readonly path: string; readonly port?: number } };

type Template = {
  readonly spec: {
    readonly containers: readonly [
      {
        readonly image: string;
        readonly env: readonly { readonly name: string; readonly value: string }[];
        readonly ports?: readonly { readonly containerPort: number }[];
        readonly startupProbe: Probe;
        readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
      },
    ];
    readonly volumes: readonly {
      readonly name: string;
      readonly secret: { readonly items: readonly [{ readonly path: string }] };
    }[];
  };
};

type CloudRunManifest = {
  readonly metadata: { readonly name: string; readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly template: Template & {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
    };
  };
};

const SCHEMA_OF = { receiver: receiverSettings, worker: workerSettings, admin: workerSettings } as const;
const NAMES = ['receiver', 'worker', 'admin'] as const;
type Name = (typeof NAMES)[number];
/** Not ours: Node's own. */
const OF_NODE = 'NODE_EXTRA_CA_CERTS';
const SERVICES_TF = readRepositoryFile('deploy/cloud-run/terraform/services.tf');
const KAFKA_TF = readRepositoryFile('deploy/cloud-run/terraform/kafka.tf');

const readManifest = (name: Name) =>
  parse(readRepositoryFile(`deploy/cloud-run/${name}.yaml`)) as CloudRunManifest;

const containerOf = (name: Name) => readManifest(name).spec.template.spec.containers[0];

/** As the process finds it: Cloud Run sets PORT for services, and not for worker pools. */
function environmentOf(name: Name): Environment {
  const { env, ports } = containerOf(name);
  const own = Object.fromEntries(env.map(({ name: variable, value }) => [variable, value]));
  return ports ? { ...own, PORT: String(ports[0]?.containerPort) } : own;
}

/** Names that a local of services.tf sets, those of the locals that it merges included. */
function settingsInTerraform(local: string): string[] {
  const [, body = ''] = new RegExp(`^  ${local}\\s+= (.*?)(?=^  \\w|^})`, 'ms').exec(SERVICES_TF) ?? [];
  const own = [...body.matchAll(/\b([A-Z][A-Z0-9_]+)\s+=/g)].map(([, name = '']) => name);
  const merged = [...body.matchAll(/local\.(\w+_env)/g)].flatMap(([, name = '']) =>
    settingsInTerraform(name),
  );
  const kafka = body.includes('local.kafka_env')
    ? [...KAFKA_TF.matchAll(/^\s+(KAFKA_\w+)\s+=/gm)].map(([, name = '']) => name)
    : [];
  return [...new Set([...own, ...merged, ...kafka])].sort();
}

describe.each(NAMES)('%s.yaml', (name) => {
  it('gives the service an environment that it takes, and names no setting that there is not', () => {
    const schema = SCHEMA_OF[name];
    const environment = environmentOf(name);
    const strange = Object.keys(environment).filter(
      (variable) => !(variable in schema.shape) && variable !== OF_NODE && variable !== 'PORT',
    );
    expect(strange).toEqual([]);
    const found = withStandInSecrets(name === 'receiver' ? environment : withPlatformPort(environment));
    expect(() => parseConfig(schema, found)).not.toThrow();
  });

  it('asks for health where the service listens', () => {
    const environment = environmentOf(name);
    const { httpGet } = containerOf(name).startupProbe;
    const config =
      name === 'receiver'
        ? undefined
        : parseConfig(workerSettings, withStandInSecrets(withPlatformPort(environment)));
    expect(httpGet.path).toBe('/healthz');
    expect(String(httpGet.port ?? environment.PORT)).toBe(String(config?.ADMIN_PORT ?? environment.PORT));
  });

  it('mounts every file that a setting names', () => {
    const { volumes } = readManifest(name).spec.template.spec;
    const files = containerOf(name).volumeMounts.map(({ name: volume, mountPath }) => {
      const [item] = volumes.find((candidate) => candidate.name === volume)?.secret.items ?? [];
      return `${mountPath}/${item?.path}`;
    });
    const named = Object.values(environmentOf(name)).filter((value) => value?.startsWith('/'));
    expect(named.sort()).toEqual(files.sort());
  });

  it('has the same settings as the Terraform module', () => {
    const local = { receiver: 'receiver_env', worker: 'pool_env', admin: 'admin_env' }[name];
    const { PORT: _, ...environment } = environmentOf(name);
    expect(settingsInTerraform(local)).toEqual(Object.keys(environment).sort());
  });
});

describe('the receiver on Cloud Run', () => {
  it('is always there, with CPU, and open to Graph', () => {
    const { metadata, spec } = readManifest('receiver');
    expect(metadata.annotations).toEqual({
      'run.googleapis.com/ingress': 'all',
      'run.googleapis.com/invoker-iam-disabled': 'true',
    });
    expect(spec.template.metadata.annotations).toMatchObject({
      'autoscaling.knative.dev/minScale': '1',
      'run.googleapis.com/cpu-throttling': 'false',
    });
    expect(SERVICES_TF).toContain('invoker_iam_disabled = true');
  });

  it('alone is open: the pages are for whom Google lets in', () => {
    expect(readManifest('admin').metadata.annotations).toEqual({ 'run.googleapis.com/ingress': 'all' });
    expect(SERVICES_TF.match(/invoker_iam_disabled/g)).toHaveLength(1);
    expect(containerOf('worker').ports).toBeUndefined();
  });
});

describe('the workers on Cloud Run', () => {
  it('are one at least', () => {
    const { 'run.googleapis.com/manualInstanceCount': instances } =
      readManifest('worker').metadata.annotations;
    expect(Number(instances)).toBeGreaterThanOrEqual(1);
  });

  it('need no client secret and no key, neither for Graph nor for Kafka', () => {
    for (const name of ['worker', 'admin'] as const) {
      expect(environmentOf(name)).toMatchObject({
        AZURE_FEDERATION: 'google',
        KAFKA_PROFILE: 'google-cloud',
      });
      expect(
        Object.keys(environmentOf(name)).filter((variable) => /SECRET$|SASL_PASSWORD/.test(variable)),
      ).toEqual([]);
    }
  });
});

it('g2k on Cloud Run has the settings of the workers', () => {
  type Job = { readonly spec: { readonly template: { readonly spec: { readonly template: Template } } } };
  const job = parse(readRepositoryFile('deploy/cloud-run/cli.yaml')) as Job;
  const { containers, volumes } = job.spec.template.spec.template.spec;
  const { ADMIN_PORT: _, ...settings } = environmentOf('worker');
  expect(Object.fromEntries(containers[0].env.map(({ name, value }) => [name, value]))).toEqual(settings);
  expect(containers[0].volumeMounts).toEqual(containerOf('worker').volumeMounts);
  expect(volumes).toEqual(readManifest('worker').spec.template.spec.volumes);
});

describe('skaffold.yaml', () => {
  type Skaffold = {
    readonly build: {
      readonly artifacts: readonly {
        readonly image: string;
        readonly docker: { readonly dockerfile: string };
      }[];
    };
    readonly profiles: readonly {
      readonly name: string;
      readonly manifests?: { readonly rawYaml: readonly string[] };
    }[];
  };
  const skaffold = parse(readRepositoryFile('skaffold.yaml')) as Skaffold;

  it('builds what the manifests of production run, from Dockerfiles that there are', () => {
    const images = skaffold.build.artifacts.map(({ image }) => image);
    for (const { docker } of skaffold.build.artifacts)
      expect(readRepositoryFile(docker.dockerfile)).toContain('FROM');
    const production = skaffold.profiles.find(({ name }) => name === 'production');
    const texts = production?.manifests?.rawYaml.map(readRepositoryFile) ?? [];
    expect(texts).toHaveLength(NAMES.length + 1);
    for (const text of texts) expect(images).toContain(/- image: (\S+)/.exec(text)?.[1]);
  });
});

describe('the validators', () => {
  let noTools: string | undefined;
  beforeAll(() => {
    noTools = getManifestTools();
  }, FIRST_TIME_MS);

  function spoiled(path: string, find: string, replacement: string) {
    const text = readRepositoryFile(path);
    expect(text).toContain(find);
    const folder = mkdtempSync(join(tmpdir(), 'graph2kafka-cloud-run-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, path.endsWith('.tf') ? 'spoiled.tf' : 'spoiled.yaml');
    writeFileSync(file, text.replace(find, replacement));
    return { folder, file };
  }

  it('find nothing wrong: Knative, the API of Cloud Run, the grammar of Terraform', ({ skip }) => {
    skip(noTools !== undefined, noTools);
    expect(runManifests('cloud-run', 'terraform')).toMatchObject({
      status: 0,
      stdout: '4 manifests held against their schemas\n',
    });
  });

  it.for([
    ['a field that there is not', 'containerConcurrency: 500', 'concurrency: 500', 'unknown field'],
    ['a port without its protocol’s name', 'name: http1', 'name: graph', 'Port name graph is not allowed'],
    [
      'more concurrency than there can be',
      'containerConcurrency: 500',
      'containerConcurrency: 5000',
      '0 <= 5000 <= 1000',
    ],
  ] as const)('of Knative would find %s', ([, find, replacement, problem], { skip }) => {
    skip(noTools !== undefined, noTools);
    const { status, stderr } = runTool(
      'bin/knative',
      spoiled('deploy/cloud-run/receiver.yaml', find, replacement).file,
    );
    expect(status).toBe(1);
    expect(stderr).toContain(problem);
  });

  it('of Cloud Run would find a field of the pool that there is not', ({ skip }) => {
    skip(noTools !== undefined, noTools);
    const { file } = spoiled('deploy/cloud-run/worker.yaml', 'serviceAccountName:', 'serviceAccount:');
    const { status, stdout } = runTool(
      'python/bin/python',
      'deploy/validate/manifests-schemas.py',
      SCHEMAS,
      file,
    );
    expect(status).toBe(1);
    expect(stdout).toContain('serviceAccount');
  });

  it('of Terraform would find what nobody declares, and what is not its grammar', ({ skip }) => {
    skip(noTools !== undefined, noTools);
    const unknown = spoiled('deploy/cloud-run/terraform/variables.tf', 'var.worker_instances', 'var.workers');
    expect(JSON.parse(runTool('bin/terraform', unknown.folder).stdout).unknown).toEqual([
      expect.stringContaining('var.workers at'),
    ]);
    const broken = spoiled('deploy/cloud-run/terraform/redis.tf', 'mode = "AOF"', 'mode = ');
    expect(runTool('bin/terraform', broken.folder)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Invalid expression'),
    });
  });
});
