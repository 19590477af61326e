/** `g2k certificates rotate` */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@graph2kafka/shared';
import { type EncryptionKeys, loadEncryptionKeys, noEncryptionKeys } from '../rich/encryption-keys.ts';
import { type CertificateWish, makeKeyAndCertificate } from '../rich/self-signed-certificate.ts';
import type { RotationSettings } from './cli-settings.ts';
import type { Command } from './command-line.ts';
import { plainText } from './plain-text.ts';
import type { Terminal } from './terminal.ts';

type Rotation = Extract<Command, { name: 'rotate' }>;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Resolves to the exit code. */
export async function rotateCertificate(
  command: Rotation,
  settings: RotationSettings,
  terminal: Terminal,
  now: () => number,
): Promise<number> {
  const folder = command.folder ?? folderOf(settings);
  const keys = await heldKeys(settings, now);
  const upcoming = keys.held().find(({ startsAt = 0 }) => startsAt > now());
  if (upcoming) {
    terminal.err(
      `g2k: the key ${plainText(upcoming.id)} is new already: its time begins ${iso(upcoming.startsAt ?? 0)}`,
    );
    return 1;
  }
  const wish = wishOf(command, keys, now());
  const path = join(folder, `${wish.name}.pem`);
  const what = `the key ${wish.name} (RSA ${wish.bits}, valid from ${iso(wish.startsAt)} to ${iso(wish.expiresAt)})`;
  if (command.dryRun) {
    terminal.out(`Would make ${what}\nin ${plainText(path)}.`);
    terminal.out('Nothing was done, as --dry-run wants it.');
    return 0;
  }
  const problem = await putKey(folder, wish);
  if (problem !== undefined) {
    terminal.err(`g2k: ${plainText(path)} cannot be written (${problem}); --out names another folder`);
    return 1;
  }
  terminal.out(`Made ${what}\nin ${plainText(path)}.`);
  for (const line of whatNext(command, settings, wish)) terminal.out(line);
  return 0;
}

function folderOf({ ENCRYPTION_KEYS: places = [] }: RotationSettings): string {
  const folder = places.find((place) => place.kind === 'folder');
  if (folder) return folder.path;
  throw new ConfigError([
    'ENCRYPTION_KEYS: names no folder (file:/folder/) for a new key; or give --out FOLDER',
  ]);
}

async function heldKeys(settings: RotationSettings, now: () => number): Promise<EncryptionKeys> {
  const { ENCRYPTION_KEYS: places, ENCRYPTION_CURRENT_KEY: current, readKey: read } = settings;
  return places ? loadEncryptionKeys({ places, current, read, now }) : noEncryptionKeys;
}

/** The first key has nobody to wait for. */
function wishOf(
  { startsInMinutes, days, bits }: Rotation,
  keys: EncryptionKeys,
  now: number,
): CertificateWish {
  const wait = keys.current() ? startsInMinutes * MINUTE_MS : 0;
  const startsAt = Math.floor((now + wait) / 1000) * 1000;
  const stamp = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  return { name: `g2k-${stamp}`, bits, startsAt, expiresAt: startsAt + days * DAY_MS };
}

/** The code of what went wrong. Whole at once: a worker may be looking. */
async function putKey(folder: string, wish: CertificateWish): Promise<string | undefined> {
  const { privateKey, certificate } = await makeKeyAndCertificate(wish);
  const hidden = join(folder, `.${wish.name}.pem`);
  try {
    await writeFile(hidden, `${privateKey}${certificate}`, { mode: 0o600, flag: 'wx' });
    await rename(hidden, join(folder, `${wish.name}.pem`));
    return undefined;
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') await rm(hidden, { force: true }).catch(() => undefined);
    return code;
  }
}

function whatNext(
  { folder }: Rotation,
  { ENCRYPTION_CURRENT_KEY: named }: RotationSettings,
  { name, startsAt }: CertificateWish,
): string[] {
  return [
    folder === undefined
      ? 'Workers load it within seconds.'
      : `Have every worker read it (ENCRYPTION_KEYS) by ${iso(startsAt)}.`,
    named === undefined
      ? `From ${iso(startsAt)} on new subscriptions are made with it, and living ones are changed over.`
      : `ENCRYPTION_CURRENT_KEY names ${plainText(named)}: it is used once that names ${name}, or nothing.`,
    'Keep the older keys until `g2k certificates list` says that they may go.',
  ];
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('.000Z', 'Z');
}
