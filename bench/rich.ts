/** `pnpm bench rich`: what it costs to decrypt the content of a rich notification, and to check its token. */
import {
  constants,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  randomUUID,
  sign,
} from 'node:crypto';
import { decryptContent } from '../services/worker/src/rich/decrypt-content.ts';
import { authorityAt } from '../services/worker/src/rich/token-authority.ts';
import { createTokenVerifier, verdictFor } from '../services/worker/src/rich/validation-tokens.ts';
import { seal } from '../services/worker/test/rich/seal.ts';
import type { Benchmark } from './benchmark.ts';
import { orderOfRound, spreadOf } from './measure/rounds.ts';
import { short, times } from './report/numbers.ts';
import type { Report } from './report/report.ts';

export type RichOptions = {
  /** Of each variant, in turn. */
  readonly rounds: number;
};

/** A message or event without its body has some 2 kB; 300 kB is a long one with everything. */
const SIZES_KB = [2, 30, 300] as const;
const KEY_BITS = [2048, 4096] as const;
/** Of a variant in a round: few enough that the variants of a round meet the same machine. */
const CALLS = 20;
const WARM_UP_ROUNDS = 2;
/** All the rest (base64, HMAC, AES, JSON) of a small resource may add as much again to the RSA operation. */
const MOST_TIMES = 2;

type Variant = {
  readonly name: string;
  /** The variant that it is held against. */
  readonly base?: string;
  readonly call: () => unknown;
  /** CPU ms of one call, user and system time of all threads, by round. */
  readonly cpuMs: number[];
};

const NEW_TOKEN = 'token that is new';
const rsaName = (bits: number) => `RSA of ${bits} bits alone`;
const contentName = (bits: number, kb: number) => `content of ${kb} kB, key of ${bits} bits`;

export const rich: Benchmark<RichOptions> = async ({ rounds }, { interrupted, onProgress }) => {
  const variants = [...KEY_BITS.flatMap(decryptionVariants), ...(await tokenVariants(rounds))];
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const variant of orderOfRound(variants, Math.abs(round))) {
      interrupted.throwIfAborted();
      const cpuMs = await measure(variant.call);
      if (round >= 0) variant.cpuMs.push(cpuMs);
    }
    if (round >= 0) onProgress(`round ${round + 1} of ${rounds}`);
  }
  return report(rounds, variants);
};

async function measure(call: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < CALLS; i++) await call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / CALLS;
}

function decryptionVariants(bits: number): Variant[] {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const dataKey = Buffer.from(seal('{}', publicKey).dataKey, 'base64');
  const oaep = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };
  const contents = SIZES_KB.map((kb): Variant => {
    const content = seal(resourceOf(kb * 1000), publicKey);
    const call = () => {
      if (!decryptContent(content, privateKey).ok) throw new Error('what was sealed cannot be decrypted');
    };
    return { name: contentName(bits, kb), base: rsaName(bits), call, cpuMs: [] };
  });
  return [{ name: rsaName(bits), call: () => privateDecrypt(oaep, dataKey), cpuMs: [] }, ...contents];
}

/** JSON of many short fields, as Graph's are. */
function resourceOf(bytes: number): string {
  const attendee = { emailAddress: { name: 'Größe', address: 'a@example.com' }, type: 'required' };
  const count = Math.ceil(bytes / JSON.stringify(attendee).length);
  return JSON.stringify({ subject: 'A meeting', attendees: Array.from({ length: count }, () => attendee) });
}

const CLIENT = randomUUID();
const TENANT = randomUUID();

async function tokenVariants(rounds: number): Promise<Variant[]> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const list = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', use: 'sig' }] };
  const verifier = createTokenVerifier({
    audiences: [CLIENT],
    authority: authorityAt('https://login.microsoftonline.com'),
    // Nobody is asked: it is the check that is measured.
    fetch: async () => Response.json(list),
  });
  // Signed beforehand; one more, with which the list is had before the first round.
  const tokens = Array.from({ length: CALLS * (rounds + WARM_UP_ROUNDS) + 1 }, () => makeToken(privateKey));
  const check = async (token = '') => {
    const found = await verifier.verify([token], Date.now());
    if (verdictFor(TENANT, found) !== 'proven') throw new Error('a true token proves nothing');
  };
  const [known = ''] = tokens;
  await check(known);
  return [
    { name: NEW_TOKEN, call: () => check(tokens.pop()), cpuMs: [] },
    { name: 'the same token again', base: NEW_TOKEN, call: () => check(known), cpuMs: [] },
  ];
}

function makeToken(privateKey: KeyObject): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    aud: CLIENT,
    iss: `https://sts.windows.net/${TENANT}/`,
    nbf: now,
    exp: now + 86_400,
    appid: '0bf30f3b-4a52-48df-9a82-234910c4a086',
    tid: TENANT,
    uti: randomUUID(),
    ver: '1.0',
  };
  const text = [{ alg: 'RS256', kid: 'bench' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
}

function report(rounds: number, variants: readonly Variant[]): Report {
  const medianOf = (name: string) => spreadOf(variants.find((one) => one.name === name)?.cpuMs ?? [])?.median;
  const ratio = ({ name, base = name }: Variant) =>
    (medianOf(name) ?? Number.NaN) / (medianOf(base) ?? Number.NaN);
  return {
    benchmark: 'rich',
    title: `${rounds} rounds of ${CALLS} calls of each, in turn`,
    header: ['', 'min CPU ms', 'median CPU ms', 'per second and core', 'of the first'],
    rows: variants.map((variant) => [
      variant.name,
      short(Math.min(...variant.cpuMs)),
      short(medianOf(variant.name)),
      short(1000 / (medianOf(variant.name) ?? Number.NaN)),
      variant.base === undefined ? '' : times(ratio(variant)),
    ]),
    notes: ['CPU is user and system time of all threads; decrypting blocks its thread for as long.'],
    claims: KEY_BITS.map((bits) => ({
      text: `with a key of ${bits} bits, content of ${SIZES_KB[0]} kB costs at most ${MOST_TIMES} times the RSA operation that it needs`,
      holds: variants
        .filter(({ name }) => name === contentName(bits, SIZES_KB[0]))
        .every((variant) => ratio(variant) <= MOST_TIMES),
    })),
    results: { variants: variants.map(({ name, cpuMs }) => ({ name, cpuMs })) },
  };
}
