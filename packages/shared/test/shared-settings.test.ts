import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, parseConfig, sharedSettings } from '../src/index.ts';

const required = { REDIS_URL: 'redis://localhost:6379', CLIENT_STATE_SECRETS: 'sixteen characters' };
const parse = (environment: Record<string, string>) =>
  parseConfig(z.object(sharedSettings), { ...required, ...environment });

describe('sharedSettings', () => {
  it('need a Redis and a secret, and are strict by default', () => {
    expect(parse({})).toEqual({
      REDIS_URL: 'redis://localhost:6379',
      REDIS_PREFIX: 'g2k',
      REDIS_DURABILITY: 'strict',
      REDIS_REPLICAS: 1,
      CLIENT_STATE_SECRETS: ['sixteen characters'],
      LOG_LEVEL: 'info',
      SHUTDOWN_GRACE_MS: 8000,
    });
    const missing = () => parseConfig(z.object(sharedSettings), {});
    expect(missing).toThrow('REDIS_URL is required');
    expect(missing).toThrow('CLIENT_STATE_SECRETS is required');
  });

  it.each(Object.entries(sharedSettings))('describe %s for its reader', (_name, setting) => {
    expect(setting.description?.length).toBeGreaterThan(10);
  });

  it.each([
    { REDIS_URL: 'http://localhost' },
    { REDIS_URL: 'localhost:6379' },
    { REDIS_PREFIX: 'with space' },
    { REDIS_PREFIX: '{tag}' },
    { REDIS_PREFIX: 'a:b' },
    { REDIS_PREFIX: 'x'.repeat(41) },
    { REDIS_DURABILITY: 'Strict' },
    { REDIS_REPLICAS: '0' },
    { CLIENT_STATE_SECRETS: 'too short' },
    { CLIENT_STATE_SECRETS: 'sixteen characters,' },
    { CLIENT_STATE_SECRETS: 'sixteen characters,short' },
    { LOG_LEVEL: 'silent' },
    { SHUTDOWN_GRACE_MS: '1' },
  ])('refuse %j', (wrong) => {
    expect(() => parse(wrong as Record<string, string>)).toThrow(ConfigError);
    expect(() => parse(wrong as Record<string, string>)).toThrow(Object.keys(wrong)[0]);
  });

  it('take several secrets, the newest first, and Redis over TLS', () => {
    const secrets = 'the newest secret!, the secret before';
    expect(parse({ CLIENT_STATE_SECRETS: secrets, REDIS_URL: 'rediss://:p@h:1' })).toMatchObject({
      CLIENT_STATE_SECRETS: ['the newest secret!', 'the secret before'],
      REDIS_URL: 'rediss://:p@h:1',
    });
  });
});
