import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, flag, integer, list, parseConfig, url, withoutSecrets } from '../src/index.ts';

const schema = z.object({
  PORT: integer(1, 65_535).default(8080),
  REDIS_URL: url('redis:', 'rediss:'),
  SECRETS: list().refine((parts) => parts.every((part) => part.length > 3), 'each must have 4 characters'),
  LEVEL: z.enum(['info', 'warn'], 'must be info or warn').default('info'),
  NAME: z.string().optional(),
});
const good = { REDIS_URL: 'redis://h', SECRETS: 'abcd' };

function problemsOf(environment: Record<string, string | undefined>): readonly string[] {
  try {
    parseConfig(schema, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('parseConfig', () => {
  it('reads what the schema names, with its defaults, and nothing else', () => {
    expect(parseConfig(schema, { ...good, PORT: '9', PATH: '/bin', HOME: undefined })).toEqual({
      ...good,
      SECRETS: ['abcd'],
      PORT: 9,
      LEVEL: 'info',
    });
  });

  it('gives settings that nobody can change', () => {
    const config = parseConfig(schema, good) as { PORT: number };
    expect(() => {
      config.PORT = 1;
    }).toThrow(TypeError);
  });

  it('takes an empty text for not set', () => {
    expect(parseConfig(schema, { ...good, PORT: '', LEVEL: '', NAME: '' })).toMatchObject({
      PORT: 8080,
      LEVEL: 'info',
    });
    expect(problemsOf({ ...good, REDIS_URL: '' })).toEqual(['REDIS_URL is required']);
  });

  it('lists every problem at once, each by the name of its variable', () => {
    expect(problemsOf({ PORT: '0', REDIS_URL: 'http://h', LEVEL: 'loud' })).toEqual([
      'PORT: must be a whole number from 1 to 65535',
      'REDIS_URL: must be a URL that begins with redis:// or rediss://',
      'SECRETS is required',
      'LEVEL: must be info or warn',
    ]);
  });

  it('says one problem once', () => {
    expect(problemsOf({ ...good, PORT: 'x' })).toHaveLength(1);
  });

  it('never shows a value, since it may be a secret', () => {
    const canary = 'canary-9c1f';
    const environment = { PORT: canary, REDIS_URL: canary, SECRETS: `${canary},x`, LEVEL: canary };
    try {
      parseConfig(schema, environment);
      expect.unreachable();
    } catch (error) {
      expect((error as ConfigError).problems).toHaveLength(4);
      expect(`${error} ${JSON.stringify(error)} ${(error as Error).stack}`).not.toContain(canary);
    }
  });

  it('tells the number of problems in its words', () => {
    expect(new ConfigError(['A is required']).message).toBe('a setting is wrong:\n  A is required');
    expect(new ConfigError(['A', 'B']).message).toBe('2 settings are wrong:\n  A\n  B');
  });
});

const reads = (setting: z.ZodType, text: string) => setting.safeParse(text);

describe('integer', () => {
  it.each([
    ['1', 1],
    ['65535', 65_535],
    ['007', 7],
  ])('reads %j', (text, value) => {
    expect(reads(integer(1, 65_535), text).data).toBe(value);
  });

  it.each(['0', '65536', '-1', '1.5', '1e3', '0x10', ' 1', '1 ', '٣', 'NaN', 'Infinity', '9'.repeat(40)])(
    'refuses %j',
    (text) => {
      expect(reads(integer(1, 65_535), text).success).toBe(false);
    },
  );
});

describe('flag', () => {
  it('reads true and false, and no other word', () => {
    expect(reads(flag(), 'true').data).toBe(true);
    expect(reads(flag(), 'false').data).toBe(false);
    for (const text of ['True', '1', 'yes', ' true']) expect(reads(flag(), text).success).toBe(false);
  });
});

describe('list', () => {
  it('reads parts without the space around them', () => {
    expect(reads(list(), 'a, b ,c').data).toEqual(['a', 'b', 'c']);
    expect(reads(list(), 'a').data).toEqual(['a']);
  });

  it.each(['a,', ',a', 'a,,b', ' ', 'a, ,b'])('refuses the empty part in %j', (text) => {
    expect(reads(list(), text).success).toBe(false);
  });
});

describe('url', () => {
  it.each(['https://h', 'https://user:pass@h:1/p?q', 'HTTPS://H'])('accepts %j', (text) => {
    expect(reads(url('https:'), text).data).toBe(text);
  });

  it.each(['http://h', 'h', '//h', 'https://', 'https://h h', 'javascript:https://h'])(
    'refuses %j',
    (text) => {
      expect(reads(url('https:'), text).success).toBe(false);
    },
  );
});

describe('withoutSecrets', () => {
  it('shows of a secret only whether it is set', () => {
    const config = { PORT: 1, KEY: 'canary', KEYS: ['canary'], NO_KEYS: [], UNSET: undefined };
    expect(withoutSecrets(config, ['KEY', 'KEYS', 'NO_KEYS', 'UNSET'])).toEqual({
      PORT: 1,
      KEY: true,
      KEYS: true,
      NO_KEYS: false,
      UNSET: false,
    });
  });
});
