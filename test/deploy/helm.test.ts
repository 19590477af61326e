// The Helm chart: its settings are those of the services, what it renders fits together, and others' validators agree.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '@graph2kafka/shared';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { secretSettings as receiverSecrets, receiverSettings } from '../../services/receiver/src/config.ts';
import { secretSettings as workerSecrets, workerSettings } from '../../services/worker/src/config.ts';
import { parseSubscriptionsFile } from '../../services/worker/src/declaration/read-declaration.ts';
import { composeService } from '../settings/compose-file.ts';
import { readRepositoryFile } from '../settings/repository-file.ts';
import { FIRST_TIME_MS, getManifestTools, runManifests, runTool, SCHEMAS } from './support/manifest-tools.ts';
import {
  environmentOf,
  type Manifest,
  ofKind,
  podOf,
  renderChart,
  tryChart,
} from './support/rendered-chart.ts';
import { withStandInSecrets } from './support/stand-in-secrets.ts';

const SERVICES = {
  receiver: { shape: receiverSettings.shape, secrets: receiverSecrets, schema: receiverSettings },
  worker: { shape: workerSettings.shape, secrets: workerSecrets, schema: workerSettings },
} as const;
/** From the end of the grace to the end of the process (packages/shared/src/shutdown.ts). */
const FLUSH_MS = 500;

type KnownSettings = Record<keyof typeof SERVICES, { settings: string[]; secrets: string[] }> & {
  chart: string[];
};
const known = parse(readRepositoryFile('deploy/helm/graph2kafka/files/settings.yaml')) as KnownSettings;
const MINIMAL = 'deploy/helm/examples/minimal.yaml';
const PRODUCTION = 'deploy/helm/examples/production.yaml';

describe.each(Object.entries(SERVICES))('files/settings.yaml of the chart', (name, { shape, secrets }) => {
  const listed = known[name as keyof typeof SERVICES];

  it(`has every setting of the ${name}, but for those that the chart sets, and no other`, () => {
    const expected = Object.keys(shape).filter((setting) => !known.chart.includes(setting));
    expect([...listed.settings, ...listed.secrets].sort()).toEqual(expected.sort());
  });

  it(`knows which settings of the ${name} are secrets`, () => {
    expect([...listed.secrets].sort()).toEqual([...secrets].sort());
  });
});

it('no secret setting of the chart may be more than a reference', () => {
  const { properties } = JSON.parse(readRepositoryFile('deploy/helm/graph2kafka/values.schema.json')) as {
    properties: { settings: { properties: Record<string, unknown> } };
  };
  const bound = Object.keys(properties.settings.properties);
  expect(bound.sort()).toEqual(
    [...new Set<string>([...receiverSecrets, ...workerSecrets, 'ENCRYPTION_KEYS'])].sort(),
  );
});

let noTools: string | undefined;
beforeAll(() => {
  noTools = getManifestTools();
}, FIRST_TIME_MS);

describe.each([MINIMAL, PRODUCTION])('the chart with %s', (values) => {
  it('gives each service an environment that it takes', ({ skip }) => {
    skip(noTools !== undefined, noTools);
    const manifests = renderChart(values);
    for (const component of ['receiver', 'worker', 'admin']) {
      const environment = environmentOf(manifests, component);
      const { schema, shape } = SERVICES[component === 'receiver' ? 'receiver' : 'worker'];
      const strange = Object.keys(environment).filter((name) => !(name in shape));
      expect(strange.filter((name) => name !== 'AZURE_FEDERATED_TOKEN_FILE')).toEqual([]);
      expect(() => parseConfig(schema, withStandInSecrets(environment))).not.toThrow();
    }
  });

  it('gives each pod the secrets of its own settings, as files that it can read', ({ skip }) => {
    skip(noTools !== undefined, noTools);
    const manifests = renderChart(values);
    for (const component of ['receiver', 'worker', 'admin'] as const) {
      const pod = podOf(manifests, component);
      const mounted = pod.volumes.find(({ name }) => name === 'secrets')?.secret?.items ?? [];
      const service = component === 'receiver' ? 'receiver' : 'worker';
      expect(mounted.map(({ key }) => key).filter((key) => !known[service].secrets.includes(key))).toEqual(
        [],
      );
      expect(mounted.length).toBeGreaterThan(0);
      const environment = environmentOf(manifests, component);
      for (const { key } of mounted) expect(environment[key]).toBe(`file:/run/secrets/graph2kafka/${key}`);
      const mounts = pod.containers[0].volumeMounts.map(({ name }) => name).sort();
      expect(mounts).toEqual(pod.volumes.map(({ name }) => name).sort());
    }
    const password = (component: string) => environmentOf(manifests, component).ADMIN_PASSWORD;
    expect([password('admin'), password('worker')]).toEqual([expect.any(String), undefined]);
  });

  it('confines every container, and leaves it time to end', ({ skip }) => {
    skip(noTools !== undefined, noTools);
    const manifests = renderChart(values);
    for (const component of ['receiver', 'worker', 'admin']) {
      const { securityContext, containers, terminationGracePeriodSeconds = 30 } = podOf(manifests, component);
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      const graceMs = Number(environmentOf(manifests, component).SHUTDOWN_GRACE_MS);
      expect(graceMs + FLUSH_MS).toBeLessThan(terminationGracePeriodSeconds * 1000);
    }
  });

  it('has no selector, probe or port that leads nowhere', ({ skip }) => {
    skip(noTools !== undefined, noTools);
    const manifests = renderChart(values);
    const pods = ofKind(manifests, 'Deployment').map(({ spec }) => spec?.template);
    const podsWith = (selector: Readonly<Record<string, string>>) =>
      pods.filter((pod) =>
        Object.entries(selector).every(([label, value]) => pod?.metadata.labels[label] === value),
      );
    for (const { kind, metadata, spec } of manifests) {
      const selector = selectorIn(kind, spec);
      if (!selector) continue;
      const chosen = podsWith(selector);
      expect(chosen, `${kind} ${metadata.name}`).toHaveLength(1);
      const ports = chosen[0]?.spec.containers[0].ports?.map(({ name }) => name);
      if (kind === 'Service')
        for (const { targetPort } of spec?.ports ?? []) expect(ports).toContain(targetPort);
    }
    for (const pod of pods) {
      const [container] = pod?.spec.containers ?? [];
      const ports = container?.ports?.map(({ name }) => name);
      for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const)
        expect(ports).toContain(container?.[probe]?.httpGet.port);
    }
  });
});

function selectorIn(kind: string, { selector, podSelector }: Manifest['spec'] = {}) {
  if (kind === 'Service') return selector;
  if (kind === 'Deployment' || kind === 'PodDisruptionBudget') return selector?.matchLabels;
  return kind === 'NetworkPolicy' ? podSelector?.matchLabels : undefined;
}

describe('the Redis and Kafka to try the chart on', () => {
  const manifests = parseAllDocuments(readRepositoryFile('deploy/helm/trial/redis-and-kafka.yaml')).map(
    (document) => document.toJS() as Manifest,
  );
  const containerOf = (name: string) =>
    manifests.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === name)?.spec?.template
      ?.spec.containers[0];

  it('are those of docker-compose.yml, but for the way into Kafka', () => {
    const compose = { redis: composeService('redis'), kafka: composeService('kafka') };
    expect(containerOf('redis')).toMatchObject({ image: compose.redis.image, args: compose.redis.command });
    const kafka = containerOf('kafka');
    const environment = Object.fromEntries((kafka?.env ?? []).map(({ name, value }) => [name, value]));
    const elsewhere = ['LISTENERS', 'ADVERTISED_LISTENERS', 'LISTENER_SECURITY_PROTOCOL_MAP', 'LOG_DIRS'];
    const differing = [...elsewhere, 'CONTROLLER_QUORUM_VOTERS'].map((name) => `KAFKA_${name}`);
    expect(kafka?.image).toBe(compose.kafka.image);
    expect({ ...compose.kafka.environment, ...pick(environment, differing) }).toEqual(environment);
  });

  it('are where the example looks for them', () => {
    const { settings } = parse(readRepositoryFile(MINIMAL)) as { settings: Record<string, string> };
    const ports = Object.fromEntries(
      ofKind(manifests, 'Service').map(({ metadata, spec }) => [metadata.name, spec?.ports?.[0]?.port]),
    );
    expect([settings.REDIS_URL, settings.KAFKA_BROKERS]).toEqual([
      `redis://redis:${ports.redis}`,
      `kafka:${ports.kafka}`,
    ]);
  });
});

function pick(values: Readonly<Record<string, string>>, names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}

describe('the chart', () => {
  it('runs the receiver as another account than what reads Graph, with an identity of its own', ({
    skip,
  }) => {
    skip(noTools !== undefined, noTools);
    const manifests = renderChart(
      MINIMAL,
      '--set-string=serviceAccount.annotations.identity=reads-graph',
      '--set-string=serviceAccount.receiver.annotations.identity=reads-secrets',
    );
    const accounts = ofKind(manifests, 'ServiceAccount');
    const identityOf = (component: string) => {
      const { serviceAccountName } = podOf(manifests, component);
      return accounts.find(({ metadata }) => metadata.name === serviceAccountName)?.metadata.annotations;
    };
    expect(identityOf('receiver')).toEqual({ identity: 'reads-secrets' });
    expect(identityOf('worker')).toEqual({ identity: 'reads-graph' });
    expect(identityOf('admin')).toEqual({ identity: 'reads-graph' });
  });

  it('scales workers on a metric that there is', ({ skip }) => {
    skip(noTools !== undefined, noTools);
    const [scaled] = ofKind(renderChart(PRODUCTION), 'ScaledObject');
    const query = scaled?.spec?.triggers?.[0]?.metadata.query ?? '';
    const [metric = 'none'] = /g2k_\w+/.exec(query) ?? [];
    expect(readRepositoryFile('services/worker/src/admin/metrics.ts')).toContain(`'${metric}'`);
  });

  it('writes large numbers as they are', ({ skip }) => {
    skip(noTools !== undefined, noTools);
    expect(environmentOf(renderChart(PRODUCTION), 'receiver').MAX_BYTES_IN_FLIGHT).toBe('67108864');
  });

  it('hands on subscriptions.yaml as it stands in its file, and restarts the workers when it changes', ({
    skip,
  }) => {
    skip(noTools !== undefined, noTools);
    const withFile = renderChart(MINIMAL, '--set-file=subscriptions=subscriptions.example.yaml');
    const text = ofKind(withFile, 'ConfigMap').find(({ data }) => data?.['subscriptions.yaml'])?.data?.[
      'subscriptions.yaml'
    ];
    const example = readRepositoryFile('subscriptions.example.yaml');
    expect(text?.trimEnd()).toBe(example.trimEnd());
    const annotations = (manifests: readonly Manifest[], component: string) =>
      JSON.stringify(
        ofKind(manifests, 'Deployment').find(({ metadata }) => metadata.name.endsWith(component))?.spec
          ?.template?.metadata,
      );
    expect(annotations(withFile, 'worker')).not.toBe(annotations(renderChart(MINIMAL), 'worker'));
    expect(annotations(withFile, 'receiver')).toBe(annotations(renderChart(MINIMAL), 'receiver'));
  });

  it('has an example of subscriptions that a worker takes', ({ skip }) => {
    skip(noTools !== undefined, noTools);
    const [map] = ofKind(renderChart(MINIMAL), 'ConfigMap').filter(
      ({ data }) => data?.['subscriptions.yaml'],
    );
    const { entries } = parseSubscriptionsFile(
      map?.data?.['subscriptions.yaml'] ?? '',
      'subscriptions.yaml',
      {
        topic: 'graph.events',
        tenantId: '11111111-2222-3333-4444-555555555555',
        lifecycleUrl: 'https://graph.contoso.example/lifecycle',
      },
    );
    expect(entries).toHaveLength(1);
  });

  it.for([
    ['a setting that there is not', 'settings.KAFKA_TOPICS=x', 'KAFKA_TOPICS: there is no such setting'],
    ['a setting that it sets itself', 'settings.ADMIN_PORT=1', 'ADMIN_PORT: the chart sets it'],
    ['a secret in the values', 'settings.CLIENT_STATE_SECRETS=PLANTED-secret', 'CLIENT_STATE_SECRETS'],
    ['a password in the address of Redis', 'settings.REDIS_URL=redis://:PLANTED@redis:6379', 'REDIS_URL'],
    [
      'a secret that is no setting',
      'secrets.settings={PASSWORD}',
      'PASSWORD is no setting that holds a secret',
    ],
    ['too little time to end', 'worker.terminationGracePeriodSeconds=20', 'must be 21 at least'],
    ['no worker', 'worker.replicas=0', 'worker.replicas'],
    ['no worker by KEDA', 'keda.minReplicas=0', 'keda.minReplicas'],
    ['a value that nothing reads', 'receiver.replica=3', 'receiver'],
  ] as const)('refuses %s', ([_what, value, problem], { skip }) => {
    skip(noTools !== undefined, noTools);
    const { status, stderr } = tryChart(MINIMAL, '--set', value);
    expect(status).not.toBe(0);
    expect(stderr.replaceAll('/', '.')).toContain(problem.replaceAll('/', '.'));
  });

  it('passes helm lint, the schemas of three versions of Kubernetes, of KEDA and of the operator of Prometheus', ({
    skip,
  }) => {
    skip(noTools !== undefined, noTools);
    const { status, stdout } = runManifests('helm');
    expect(stdout).toBe('0 manifests held against their schemas\n2 manifests held against their schemas\n');
    expect(status).toBe(0);
  }, 60_000);

  it.for([
    ['kubernetes-validate', 'Deployment', 'replicas: 2', 'replicas: two'],
    ['kubernetes-validate', 'Deployment', 'failureThreshold: 60', 'failureTreshold: 60'],
    ['manifests-schemas', 'ScaledObject', 'pollingInterval:', 'pollInterval:'],
    ['manifests-schemas', 'ServiceMonitor', 'interval: 30s', 'interval: often'],
  ] as const)(
    'would fail %s with a %s that says %s otherwise',
    ([validator, , find, replacement], { skip }) => {
      skip(noTools !== undefined, noTools);
      const { stdout } = tryChart(
        PRODUCTION,
        '--set',
        'receiver.autoscaling.enabled=false,receiver.replicas=2',
      );
      expect(stdout).toContain(find);
      const folder = mkdtempSync(join(tmpdir(), 'graph2kafka-chart-'));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const file = join(folder, 'spoiled.yaml');
      const validate = () =>
        validator === 'kubernetes-validate'
          ? runTool('python/bin/kubernetes-validate', '--strict', '--quiet', '--no-warn', file)
          : runTool('python/bin/python', 'deploy/validate/manifests-schemas.py', SCHEMAS, file);
      writeFileSync(file, stdout);
      expect(validate().status).toBe(0);
      writeFileSync(file, stdout.replace(find, replacement));
      expect(validate().status).not.toBe(0);
    },
  );
});
