/** The worker's settings: every problem at once, every setting described, no secret shown. */
import { ConfigError, parseConfig, withoutSecrets } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import { secretSettings, withPlatformPort, workerSettings } from '../src/config.ts';
import { CLIENT, TENANT } from './support/taken-entry.ts';

const complete = {
  REDIS_URL: 'redis://:PLANTED-REDIS@127.0.0.1:6379',
  CLIENT_STATE_SECRETS: 'PLANTED-CLIENT-STATE-1,PLANTED-CLIENT-STATE-2',
  AZURE_TENANT_ID: TENANT.toUpperCase(),
  AZURE_CLIENT_ID: CLIENT,
  AZURE_CLIENT_SECRET: 'PLANTED-CLIENT-SECRET',
  ADMIN_PASSWORD: 'PLANTED-PASSWORD',
  KAFKA_BROKERS: 'a:9092, b:9092',
};

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    parseConfig(workerSettings, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("the worker's settings", () => {
  it('are taken from the environment, with defaults for what can have one', () => {
    const config = parseConfig(workerSettings, complete);
    expect(config).toMatchObject({
      AZURE_TENANT_ID: TENANT,
      GRAPH_CLOUD: 'global',
      KAFKA_BROKERS: ['a:9092', 'b:9092'],
      KAFKA_TOPIC: 'graph.events',
      KAFKA_CREATE_TOPICS: false,
      OWNER_LEASE_MS: 10_000,
    });
  });

  it('refuse two that would sign in for the same app', () => {
    expect(problemsOf({ ...complete, AZURE_FEDERATION: 'google' })).toEqual([
      'AZURE_FEDERATION: has no meaning with AZURE_CLIENT_SECRET',
    ]);
    const { AZURE_CLIENT_SECRET: _, ...without } = complete;
    expect(problemsOf({ ...without, AZURE_FEDERATION: 'google' })).toEqual([]);
  });

  it('name everything that is missing at once', () => {
    expect(problemsOf({}).toSorted()).toEqual(
      ['AZURE_CLIENT_ID', 'AZURE_TENANT_ID', 'CLIENT_STATE_SECRETS', 'KAFKA_BROKERS', 'REDIS_URL'].map(
        (name) => `${name} is required`,
      ),
    );
  });

  it.each([
    ['AZURE_TENANT_ID', 'contoso'],
    ['AZURE_AUTHORITY_HOST', 'http://login.example'],
    ['GRAPH_URL', 'http://graph.microsoft.com'],
    ['NOTIFICATION_URL', 'receiver.example/events'],
    ['RECONCILE_EVERY_MS', '0'],
    ['RECONCILE_LEASE_MS', '60000'],
    ['KAFKA_BROKERS', 'a:9092,,b:9092'],
    ['KAFKA_TOPIC', 'graph events'],
    ['KAFKA_CREATE_TOPICS', 'yes'],
    ['KAFKA_TOPIC_REPLICATION', '0'],
    ['ADMIN_PORT', '70000'],
    ['ADMIN_PORT', 'none'],
    ['WORKER_ROLE', 'pages'],
    ['ADMIN_PASSWORD', 'short'],
    ['CLIENT_STATE_SECRETS', 'short'],
    ['WORKER_CONCURRENCY', '1.5'],
    ['OWNER_LEASE_MS', '-1'],
    ['SUBSCRIPTIONS_FILE', 'subscriptions.yaml'],
  ])('refuse %s=%s with a line that names the variable and not its value', (name, value) => {
    const expected = name === 'SUBSCRIPTIONS_FILE' ? 'NOTIFICATION_URL' : name;
    const problems = problemsOf({ ...complete, [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${expected}\\b`));
    expect(problems[0]).not.toContain(`"${value}"`);
  });

  it('name what depends on another setting together with everything else', () => {
    const problems = problemsOf({ ...complete, SUBSCRIPTIONS_FILE: 'subscriptions.yaml', ADMIN_PORT: 'x' });
    expect(problems.map((problem) => problem.split(/[: ]/)[0]).toSorted()).toEqual([
      'ADMIN_PORT',
      'NOTIFICATION_URL',
    ]);
  });

  it('take the port that the platform gives, unless the admin port has one of its own', () => {
    const portOf = (environment: Record<string, string>) =>
      parseConfig(workerSettings, withPlatformPort({ ...complete, ...environment })).ADMIN_PORT;
    expect(portOf({})).toBe(9090);
    expect(portOf({ PORT: '8080' })).toBe(8080);
    expect(portOf({ PORT: '8080', ADMIN_PORT: '' })).toBe(8080);
    expect(portOf({ PORT: '8080', ADMIN_PORT: '9091' })).toBe(9091);
    expect(portOf({ PORT: '8080', ADMIN_PORT: 'off' })).toBe('off');
  });

  it('refuse an instance that would do nothing: pages alone, and no port for them', () => {
    expect(problemsOf({ ...complete, WORKER_ROLE: 'admin', ADMIN_PORT: 'off' })).toEqual([
      expect.stringMatching(/^ADMIN_PORT: must be a port/),
    ]);
  });

  it('each have a description', () => {
    const settings = Object.entries(workerSettings.shape);
    expect(settings.length).toBeGreaterThan(25);
    expect(settings.filter(([, setting]) => !setting.description).map(([name]) => name)).toEqual([]);
  });
});

describe('the start-up line', () => {
  it('shows settings, and of secrets only whether they are set', () => {
    const { ADMIN_PASSWORD: _none, ...rest } = complete;
    const line = withoutSecrets(parseConfig(workerSettings, rest), secretSettings);
    expect(line).toMatchObject({
      AZURE_CLIENT_SECRET: true,
      REDIS_URL: true,
      CLIENT_STATE_SECRETS: true,
      KAFKA_TOPIC: 'graph.events',
    });
    expect(line.ADMIN_PASSWORD).not.toBe(true);
    expect(JSON.stringify(line)).not.toContain('PLANTED');
  });

  it('knows every setting whose name says that it is a secret', () => {
    const suspicious = Object.keys(workerSettings.shape).filter(
      (name) => /SECRET|PASSWORD|TOKEN/.test(name) && !name.endsWith('_URL'),
    );
    expect(suspicious.length).toBeGreaterThan(0);
    expect(secretSettings).toEqual(expect.arrayContaining(suspicious));
  });
});
