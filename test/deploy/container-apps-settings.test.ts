// What deploy/container-apps gives to the services is what they take, and its scale rule counts what waits.
import { connectPatient, parseConfig } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import { parseReference } from '../../packages/shared/src/secrets/secret-reference.ts';
import { entry, inboxOnRedis } from '../../packages/shared/test/inbox-on-redis.ts';
import {
  secretSettings as receiverSecretSettings,
  receiverSettings,
} from '../../services/receiver/src/config.ts';
import { createInboxWriter } from '../../services/receiver/src/inbox-writer.ts';
import { secretSettings as workerSecretSettings, workerSettings } from '../../services/worker/src/config.ts';
import { readRepositoryFile } from '../settings/repository-file.ts';
import { APPS, type Known, numbersOf, objectOf, resource } from './container-apps-bicep.ts';

const PLATFORM = readRepositoryFile('deploy/container-apps/platform.bicep');
const FLUSH_MS = 500;

/** As a deployment to the group of an example finds them. */
const DEPLOYED = {
  redisPrefix: 'g2k',
  topic: 'graph.events',
  deadLetterTopic: 'graph.events.dlq',
  tenantId: '11111111-2222-3333-4444-555555555555',
  graphClientId: '66666666-7777-8888-9999-000000000000',
  'receiverIdentity.properties.clientId': 'aaaaaaaa-7777-8888-9999-000000000000',
  'workerIdentity.properties.clientId': 'bbbbbbbb-7777-8888-9999-000000000000',
  subscriptionsFolder: '/etc/graph2kafka/abcdefghijklm',
  receiverHost: 'g2k-receiver.happytree-1234.westeurope.azurecontainerapps.io',
  kafkaBroker: 'g2k-abcdefghijklm.servicebus.windows.net:9093',
};

/** Values that pass for what the vault would give. */
const SECRETS: Readonly<Record<string, string>> = {
  'redis-url': 'rediss://:c2VjcmV0%2Bkey%2F%3D@g2k-abc.westeurope.redis.azure.net:10000',
  'client-state-secrets': 'kept-in-a-safe-place',
  'admin-password': 'kept-in-a-safe-place',
  'kafka-password':
    'Endpoint=sb://g2k-abc.servicebus.windows.net/;SharedAccessKeyName=worker;SharedAccessKey=x',
  'graph-client-secret': 'kept-in-a-safe-place',
};

const SERVICES = {
  receiver: { schema: receiverSettings, secretSettings: receiverSecretSettings as readonly string[] },
  worker: { schema: workerSettings, secretSettings: workerSecretSettings as readonly string[] },
};

const WAYS = [
  { way: 'managed identities alone', isOwnApp: false, usesPassword: false },
  { way: 'a connection string', isOwnApp: false, usesPassword: true },
  { way: 'an app registration', isOwnApp: true, usesPassword: false },
  { way: 'both', isOwnApp: true, usesPassword: true },
];

const CASES = Object.entries(SERVICES).flatMap(([name, service]) =>
  WAYS.map((way) => ({ name, ...service, ...way })),
);

/** The environment of the container, secrets resolved. @throws where the file names a secret that nobody gives */
function environmentOf(name: string, known: Known): Record<string, string> {
  const secrets = Object.entries(objectOf(`${name}Secrets`, known)).map(([setting, secret]) => {
    if (!SECRETS[secret]) throw new Error(`nobody gives the secret ${secret}`);
    return [setting, SECRETS[secret]];
  });
  return { ...objectOf(`${name}Settings`, known), ...Object.fromEntries(secrets) };
}

describe.each(CASES)('the $name with $way', ({ name, schema, secretSettings, isOwnApp, usesPassword }) => {
  const known = { ...DEPLOYED, isOwnApp, usesPassword };

  it('is given settings that it has, and all that it needs', () => {
    const environment = environmentOf(name, known);
    expect(Object.keys(schema.shape)).toEqual(expect.arrayContaining(Object.keys(environment)));
    expect(() => parseConfig(schema, environment)).not.toThrow();
  });

  it('is given as secrets what is secret, and nothing else', () => {
    const plain = Object.keys(objectOf(`${name}Settings`, known));
    expect(plain.filter((setting) => secretSettings.includes(setting))).toEqual([]);
    expect(secretSettings).toEqual(expect.arrayContaining(Object.keys(objectOf(`${name}Secrets`, known))));
  });

  it('finds its secrets in the vault by references that it reads', () => {
    for (const secret of Object.values(objectOf(`${name}Secrets`, known))) {
      expect(parseReference(`azurekeyvault://g2k-abcdefghijklm.vault.azure.net/${secret}`)).toMatchObject({
        secret,
      });
    }
  });

  it('finds its secrets in the app by names that are there', () => {
    for (const secret of Object.values(objectOf(`${name}Secrets`, known)))
      expect(resource(name)).toContain(`name: '${secret}'`);
  });
});

describe.each(Object.keys(SERVICES))('the app of the %s', (name) => {
  const app = resource(name);
  const settings = objectOf(`${name}Settings`, { ...DEPLOYED, isOwnApp: false, usesPassword: false });
  const port = Number(name === 'receiver' ? settings.PORT : settings.ADMIN_PORT);

  it('is asked on the port that it listens on', () => {
    expect(numbersOf(app, 'targetPort')).toEqual([port]);
    expect(numbersOf(app, 'port')).toEqual([port, port, port]);
  });

  it('has probes within the bounds of Container Apps', () => {
    expect(app.match(/type: '(Startup|Liveness|Readiness)'/g)).toHaveLength(3);
    expect(Math.max(...numbersOf(app, 'failureThreshold'))).toBeLessThanOrEqual(10);
    expect(Math.max(...numbersOf(app, 'periodSeconds'))).toBeLessThanOrEqual(240);
  });

  it('leaves time to end before the platform kills', () => {
    const [graceSeconds = 0] = numbersOf(app, 'terminationGracePeriodSeconds');
    expect(Number(settings.SHUTDOWN_GRACE_MS) + FLUSH_MS).toBeLessThan(graceSeconds * 1000);
  });
});

describe('the worker', () => {
  it('is not public unless networks are named', () => {
    expect(resource('worker')).toContain('external: !empty(adminNetworks)');
    expect(APPS).toContain('param adminNetworks string[] = []');
  });

  it('reads subscriptions.yaml where it is mounted', () => {
    const { SUBSCRIPTIONS_FILE } = objectOf('workerSettings', {
      ...DEPLOYED,
      isOwnApp: false,
      usesPassword: false,
    });
    expect(resource('worker')).toContain('mountPath: subscriptionsFolder');
    expect(resource('worker')).toContain("path: 'subscriptions.yaml'");
    expect(SUBSCRIPTIONS_FILE).toBe(`${DEPLOYED.subscriptionsFolder}/subscriptions.yaml`);
  });

  it('writes to topics that the platform makes', () => {
    for (const [hub, topic] of [
      ['records', 'topic'],
      ['deadLetters', 'deadLetterTopic'],
    ])
      expect(PLATFORM).toMatch(
        new RegExp(`^resource ${hub} [^\\n]*\\n  parent: eventHubs\\n  name: ${topic}$`, 'm'),
      );
  });
});

describe('the scale rule of the worker', () => {
  it('counts the owners that wait for a worker', async () => {
    await using own = inboxOnRedis();
    const [, prefix = ''] = /^\{(.+)-0\}$/.exec(own.names.prefix) ?? [];
    const [, listName = ''] = /listName: '(.+)'/.exec(resource('worker')) ?? [];
    const key = listName.replace(`\${redisPrefix}`, prefix);
    await own.redis.ping();
    const writer = createInboxWriter(own.redis, own.names);
    const owners = ['a', 'b', 'c', 'c'];
    for (const owner of owners) await writer.store([entry('1', 'updated', { owner })]);
    await writer.close();
    // KEDA's redis scaler asks for the type, and counts a list with LLEN (its source: redis_scaler.go).
    expect(await own.redis.type(key)).toBe('list');
    expect(await own.redis.llen(key)).toBe(3);
  });

  it('has one worker more for as many owners as each works at once', () => {
    const { WORKER_CONCURRENCY } = parseConfig(
      workerSettings,
      environmentOf('worker', { ...DEPLOYED, ...WAYS[0] }),
    );
    expect(APPS).toContain(`param ownersPerWorker int = ${WORKER_CONCURRENCY}\n`);
    expect(resource('worker')).toContain('listLength: string(ownersPerWorker)');
  });

  it('needs no other key than the services sign in with', () => {
    const redis = connectPatient(SECRETS['redis-url'] ?? '', () => undefined);
    redis.disconnect();
    const { options } = redis;
    expect(options).toMatchObject({ password: 'c2VjcmV0+key/=', port: 10_000 });
    expect(options.tls).toBeDefined();
  });
});

describe.each(['platform', 'apps'])('%s.bicepparam', (name) => {
  const template = readRepositoryFile(`deploy/container-apps/${name}.bicep`);
  const file = readRepositoryFile(`deploy/container-apps/${name}.bicepparam`);
  const declared = [...template.matchAll(/^param (\w+) [^\n=]*(=)?/gm)].map(([, param = '', hasDefault]) => ({
    param,
    isNeeded: !hasDefault,
  }));
  const given = [...file.matchAll(/^param (\w+) = /gm)].map(([, param]) => param);

  it('gives parameters that there are, and all that have no default', () => {
    expect(declared.map(({ param }) => param)).toEqual(expect.arrayContaining(given));
    const needed = declared.filter(({ isNeeded }) => isNeeded).map(({ param }) => param);
    expect(given).toEqual(expect.arrayContaining(needed));
    expect(new Set(given).size).toBe(given.length);
  });

  it('reads from the environment what deploy.sh puts there', () => {
    const script = readRepositoryFile('deploy/container-apps/deploy.sh');
    const read = [...file.matchAll(/readEnvironmentVariable\('(\w+)'/g)].map(([, variable = '']) => variable);
    expect(read.length).toBeGreaterThan(0);
    expect(read.filter((variable) => !new RegExp(`\\b${variable}\\b`).test(script))).toEqual([]);
  });
});

describe('parameters of both files', () => {
  it('have the same defaults', () => {
    const defaults = (text: string) =>
      new Map(
        [...text.matchAll(/^param (\w+) \S+ = (.+)$/gm)].map(([, param = '', value = '']) => [param, value]),
      );
    const [platform, apps] = [defaults(PLATFORM), defaults(APPS)];
    const shared = [...apps.keys()].filter((param) => platform.has(param));
    expect(shared).toEqual(
      expect.arrayContaining(['name', 'location', 'kafkaSignIn', 'topic', 'deadLetterTopic']),
    );
    for (const param of shared) expect(apps.get(param)).toBe(platform.get(param));
  });
});
