import { ConfigError, parseConfig } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import { receiverSettings, secretSettings } from '../src/config.ts';

const required = { REDIS_URL: 'redis://localhost', CLIENT_STATE_SECRETS: 'sixteen characters' };
const parse = (environment: Record<string, string> = {}) =>
  parseConfig(receiverSettings, { ...required, ...environment });

describe('receiverSettings', () => {
  it('need a Redis and a secret', () => {
    expect(parse()).toMatchObject({ PORT: 8080, CLIENT_STATES_ACCEPTED: [], MAX_BODY_BYTES: 5_242_880 });
    expect(() => parseConfig(receiverSettings, {})).toThrow('2 settings are wrong');
  });

  it('name every wrong one at once, without its value', () => {
    const wrong = {
      REDIS_URL: 'canary',
      REDIS_PREFIX: 'canary!',
      REDIS_DURABILITY: 'canary',
      REDIS_REPLICAS: 'canary',
      CLIENT_STATE_SECRETS: 'canary',
      CLIENT_STATES_ACCEPTED: 'canary',
      LOG_LEVEL: 'canary',
      SHUTDOWN_GRACE_MS: 'canary',
      SHUTDOWN_DELAY_MS: 'canary',
      GOOGLE_CLOUD_PROJECT: 'canary!',
      PORT: 'canary',
      OWNER_RESOURCE_LIMIT: 'canary',
      MAX_BODY_BYTES: 'canary',
      MAX_BYTES_IN_FLIGHT: 'canary',
      MAX_CONNECTIONS: 'canary',
      MAX_REQUESTS_IN_FLIGHT: 'canary',
      ALLOWED_SOURCE_NETWORKS: 'canary',
      TRUST_PROXY: 'canary',
      METRICS_PORT: 'canary',
      METRICS_HOST: 'canary',
      MANAGED_IDENTITY_CLIENT_ID: 'canary',
    };
    expect(Object.keys(wrong).toSorted()).toEqual(Object.keys(receiverSettings.shape).toSorted());
    try {
      parse(wrong);
      expect.unreachable();
    } catch (error) {
      const { problems, message } = error as ConfigError;
      expect(problems.map((problem) => problem.split(/[: ]/)[0]).toSorted()).toEqual(
        Object.keys(wrong).toSorted(),
      );
      expect(message).not.toContain('canary');
    }
  });

  it.each(Object.entries(receiverSettings.shape))('describe %s for its reader', (_name, setting) => {
    expect(setting.description?.length).toBeGreaterThan(10);
  });

  it.each([
    { PORT: '65536' },
    { PORT: '-1' },
    { MAX_BODY_BYTES: '1023' },
    { MAX_BODY_BYTES: '104857601' },
    { CLIENT_STATES_ACCEPTED: 'long enough,short' },
    { CLIENT_STATES_ACCEPTED: 'long enough,' },
    { CLIENT_STATES_ACCEPTED: 'x'.repeat(129) },
  ])('refuse %j', (wrong) => {
    expect(() => parse(wrong as Record<string, string>)).toThrow(ConfigError);
  });

  it('take several literal clientStates', () => {
    expect(parse({ CLIENT_STATES_ACCEPTED: 'made elsewhere , x made there' }).CLIENT_STATES_ACCEPTED).toEqual(
      ['made elsewhere', 'x made there'],
    );
  });

  it('hold secrets only under names that the start-up log knows as secret', () => {
    const secretLooking = Object.keys(receiverSettings.shape).filter((name) =>
      /SECRET|STATE|PASSWORD|KEY|URL/.test(name),
    );
    expect(secretLooking.toSorted()).toEqual([...secretSettings].toSorted());
  });
});
