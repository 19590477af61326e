// .env.example names every setting, explains it in the schema's words, and gives no secret away.
import { parseEnv } from 'node:util';
import { sharedSettings } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import { secretSettings as receiverSecrets, receiverSettings } from '../../services/receiver/src/config.ts';
import { secretSettings as workerSecrets, workerSettings } from '../../services/worker/src/config.ts';
import { variablesRead } from './compose-file.ts';
import { readRepositoryFile } from './repository-file.ts';
import { settingsOf } from './setting.ts';

const TEXT = readRepositoryFile('.env.example');
const VALUES = parseEnv(TEXT);
const SETTINGS = settingsOf({ ...sharedSettings, ...receiverSettings.shape, ...workerSettings.shape });
const SETTING_NAMES = new Set(SETTINGS.map(({ name }) => name));

/** The Redis and the Kafka of docker-compose.yml, whose topics the worker makes; and the file that people write. */
const OTHER_THAN_DEFAULT = ['REDIS_URL', 'KAFKA_BROKERS', 'KAFKA_CREATE_TOPICS', 'SUBSCRIPTIONS_FILE'];

/** The comment right above each variable. */
function commentsByName(): ReadonlyMap<string, string> {
  const pairs = [...TEXT.matchAll(/^# (.*)\n([A-Z][A-Z0-9_]*)=/gm)];
  return new Map(pairs.map(([, comment = '', name = '']) => [name, comment]));
}

describe('.env.example', () => {
  it('names all settings of both services, and what docker-compose.yml alone reads', () => {
    const ofComposeAlone = [...variablesRead()].filter((name) => !SETTING_NAMES.has(name));
    expect(Object.keys(VALUES).sort()).toEqual([...SETTING_NAMES, ...ofComposeAlone].sort());
  });

  it('explains each setting in the words of the schema', () => {
    const comments = commentsByName();
    for (const { name, description } of SETTINGS) expect.soft(comments.get(name), name).toBe(description);
    expect([...comments.keys()].sort()).toEqual(Object.keys(VALUES).sort());
  });

  it('holds the default of each setting that has one', () => {
    for (const { name, default: byDefault } of SETTINGS) {
      if (!OTHER_THAN_DEFAULT.includes(name)) expect.soft(VALUES[name], name).toBe(byDefault);
    }
  });

  it('holds no secret', () => {
    const secrets = new Set<string>([...receiverSecrets, ...workerSecrets]);
    secrets.delete('REDIS_URL');
    expect([...secrets].filter((name) => VALUES[name] !== '')).toEqual([]);
    expect(new URL(VALUES.REDIS_URL ?? '').password).toBe('');
  });
});
