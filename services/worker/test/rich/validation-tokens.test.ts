/** Validation tokens: which prove a tenant, which prove nothing, and what happens while the keys cannot be had. */
import { createHmac, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import jwt from 'jsonwebtoken';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { authorityAt, type TokenAuthority } from '../../src/rich/token-authority.ts';
import { createTokenVerifier, type TokenVerifier, verdictFor } from '../../src/rich/validation-tokens.ts';
import {
  type Answer,
  answerJson,
  type Claims,
  type KeyServer,
  listed,
  makeTestKey,
  makeTrustedCertificate,
  type ServerCertificate,
  signToken,
  startKeyServer,
} from './entra.ts';

const PUBLISHER = '0bf30f3b-4a52-48df-9a82-234910c4a086';
const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95';
const OTHER_TENANT = '9f4ebab6-520d-49c0-85cc-7b25c78d4a93';
const CLIENT = '8e460676-ae3f-4b1e-8790-ee0fb5d6148f';
const V1_LIST = '/common/discovery/keys';
const V2_LIST = '/common/discovery/v2.0/keys';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** When the POSTs of these tests were received. */
const RECEIVED = Date.UTC(2026, 10, 23, 12);

const key = makeTestKey('published');
const nextKey = makeTestKey('next');
const foreignKey = makeTestKey('foreign');

let certificate: ServerCertificate;
let entra: KeyServer;
let authority: TokenAuthority;
let verifier: TokenVerifier;

const newVerifier = (more: Partial<Parameters<typeof createTokenVerifier>[0]> = {}) =>
  createTokenVerifier({ audiences: [CLIENT], authority, ...more });

beforeAll(async () => {
  certificate = await makeTrustedCertificate();
  entra = await startKeyServer(certificate, answerJson({ keys: [listed(key)] }));
  authority = authorityAt(entra.url);
});

afterAll(() => entra.close());

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: RECEIVED + 1000 });
  entra.answerWith(answerJson({ keys: [listed(key)] }));
  entra.asked.length = 0;
  verifier = newVerifier();
});

afterEach(() => {
  vi.useRealTimers();
});

const passTime = (ms: number) => vi.setSystemTime(Date.now() + ms);

const times = {
  iat: RECEIVED / 1000 - 600,
  nbf: RECEIVED / 1000 - 600,
  exp: RECEIVED / 1000 - 600 + 29_100,
};

/** As Microsoft's page shows it for an app registered for version 1.0. */
const v1Claims = (more: Claims = {}): Claims => ({
  aud: CLIENT,
  iss: `https://sts.windows.net/${TENANT}/`,
  ...times,
  appid: PUBLISHER,
  appidacr: '2',
  idp: `https://sts.windows.net/${TENANT}/`,
  tid: TENANT,
  ver: '1.0',
  ...more,
});

const v2Claims = (more: Claims = {}): Claims => ({
  aud: CLIENT,
  iss: `https://login.microsoftonline.com/${TENANT}/v2.0`,
  ...times,
  azp: PUBLISHER,
  azpacr: '2',
  tid: TENANT,
  ver: '2.0',
  ...more,
});

const ofTenant = (tenant: string) => v1Claims({ tid: tenant, iss: `https://sts.windows.net/${tenant}/` });

const sameSignature = (...tokens: readonly [string, string]) => {
  const [one, other] = tokens.map((token) => Buffer.from(token.split('.')[2] ?? '', 'base64url'));
  return one !== undefined && other !== undefined && one.equals(other);
};

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

const proven = (...tenants: string[]) => ({ tenants: new Set(tenants), undecided: false, refusals: [] });
const refused = (...refusals: string[]) => ({ tenants: new Set(), undecided: false, refusals });
const UNDECIDED = { tenants: new Set(), undecided: true, refusals: [] };

describe('a token proves its tenant', () => {
  it('in version 1.0, by the keys of version 1.0', async () => {
    expect(await verifier.verify([signToken(v1Claims(), key)], RECEIVED)).toEqual(proven(TENANT));
    expect(entra.asked).toEqual([V1_LIST]);
  });

  it('in version 2.0, by the keys of version 2.0', async () => {
    expect(await verifier.verify([signToken(v2Claims(), key)], RECEIVED)).toEqual(proven(TENANT));
    expect(entra.asked).toEqual([V2_LIST]);
  });

  it('beside others of the same POST, each its own', async () => {
    const tokens = [signToken(v1Claims(), key), signToken(ofTenant(OTHER_TENANT), key)];
    const found = await verifier.verify(tokens, RECEIVED);
    expect(found).toEqual(proven(TENANT, OTHER_TENANT));
    expect(verdictFor(TENANT.toUpperCase(), found)).toBe('proven');
    expect(verdictFor(randomUUID(), found)).toBe('unproven');
  });

  it('to each app that we subscribe as, in whatever case its id is written', async () => {
    const other = randomUUID();
    const both = newVerifier({ audiences: [CLIENT.toUpperCase(), other] });
    for (const aud of [CLIENT, other.toUpperCase()])
      expect(await both.verify([signToken(v1Claims({ aud }), key)], RECEIVED)).toEqual(proven(TENANT));
  });

  it('by a key whose list names the issuer for every tenant, or this one', async () => {
    for (const issuer of [
      'https://login.microsoftonline.com/{tenantid}/v2.0',
      `https://login.microsoftonline.com/${TENANT}/v2.0`,
    ]) {
      entra.answerWith(answerJson({ keys: [listed(key, { issuer })] }));
      const tokens = [signToken(v1Claims(), key), signToken(v2Claims(), key)];
      expect(await newVerifier().verify(tokens, RECEIVED)).toEqual(proven(TENANT));
    }
  });

  it.each([
    ['global, 1.0', 'https://login.microsoftonline.com', 'https://sts.windows.net/T/', '1.0'],
    ['global, 2.0', 'https://login.microsoftonline.com', 'https://login.microsoftonline.com/T/v2.0', '2.0'],
    ['US Gov, 1.0', 'https://login.microsoftonline.us', 'https://sts.windows.net/T/', '1.0'],
    ['US Gov, 2.0', 'https://login.microsoftonline.us', 'https://login.microsoftonline.us/T/v2.0', '2.0'],
    ['China, 1.0', 'https://login.chinacloudapi.cn', 'https://sts.chinacloudapi.cn/T/', '1.0'],
    [
      'China, 2.0',
      'https://login.chinacloudapi.cn',
      'https://login.partner.microsoftonline.cn/T/v2.0',
      '2.0',
    ],
  ] as const)('from the issuer of its cloud: %s', async (_name, loginUrl, issuer, ver) => {
    const { issuers } = authorityAt(loginUrl);
    const cloud = newVerifier({ authority: { issuers, keysUrls: authority.keysUrls } });
    const claims = { ...(ver === '1.0' ? v1Claims() : v2Claims()), iss: issuer.replace('T', TENANT) };
    expect(await cloud.verify([signToken(claims, key)], RECEIVED)).toEqual(proven(TENANT));
    const foreign = authorityAt(
      `https://login.${loginUrl.endsWith('.cn') ? 'microsoftonline.com' : 'chinacloudapi.cn'}`,
    );
    const elsewhere = newVerifier({ authority: { issuers: foreign.issuers, keysUrls: authority.keysUrls } });
    expect(await elsewhere.verify([signToken(claims, key)], RECEIVED)).toEqual(refused('issuer'));
  });
});

describe('a token proves nothing', () => {
  it.each<[string, () => string | null, ...string[]]>([
    ['null', () => null],
    ['empty', () => '', 'form'],
    ['a word', () => 'token', 'form'],
    ['three words', () => 'a.b.c', 'form'],
    [
      'without a signature, alg none',
      () => jwt.sign({ ...v1Claims() }, null, { algorithm: 'none' }),
      'algorithm',
    ],
    [
      'signed by the right key, then said to be of alg none',
      () =>
        `${base64url({ alg: 'none', kid: key.kid })}.${signToken(v1Claims(), key).split('.').slice(1).join('.')}`,
      'algorithm',
    ],
    [
      'HS256 with the PEM of the public key',
      () =>
        jwt.sign({ ...v1Claims() }, `${key.publicKey.export({ type: 'spki', format: 'pem' })}`, {
          algorithm: 'HS256',
          keyid: key.kid,
        }),
      'algorithm',
    ],
    [
      'HS256 with the modulus of the public key',
      () => {
        const text = `${base64url({ alg: 'HS256', kid: key.kid })}.${base64url(v1Claims())}`;
        const secret = Buffer.from(`${key.publicKey.export({ format: 'jwk' }).n}`, 'base64url');
        return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
      },
      'algorithm',
    ],
    ['RS512, though by the right key', () => signToken(v1Claims(), key, {}, 'RS512'), 'algorithm'],
    ['PS256, though by the right key', () => signToken(v1Claims(), key, {}, 'PS256'), 'algorithm'],
    ['by a foreign key under its own name', () => signToken(v1Claims(), foreignKey), 'unknownKey'],
    [
      'by a foreign key under a published name',
      () => signToken(v1Claims(), { ...foreignKey, kid: key.kid }),
      'signature',
    ],
    ['by the right key under no name', () => signToken(v1Claims(), key, { kid: undefined }), 'form'],
    [
      'by a foreign key that it brings along',
      () => signToken(v1Claims(), { ...foreignKey, kid: key.kid }, { jwk: listed(foreignKey) }),
      'signature',
    ],
    [
      'with an extension that must be understood',
      () => signToken(v1Claims(), key, { crit: ['x'], x: 1 }),
      'form',
    ],
    ['for another app', () => signToken(v1Claims({ aud: randomUUID() }), key), 'audience'],
    ['for several apps', () => signToken(v1Claims({ aud: [CLIENT, randomUUID()] }), key), 'form'],
    ['from another app', () => signToken(v1Claims({ appid: randomUUID() }), key), 'publisher'],
    ['from another app, version 2.0', () => signToken(v2Claims({ azp: randomUUID() }), key), 'publisher'],
    ['from nobody', () => signToken(v1Claims({ appid: undefined }), key), 'publisher'],
    [
      'with the publisher only where version 2.0 has it',
      () => signToken(v1Claims({ appid: undefined, azp: PUBLISHER }), key),
      'publisher',
    ],
    [
      'with the publisher only where version 1.0 has it',
      () => signToken(v2Claims({ azp: undefined, appid: PUBLISHER }), key),
      'publisher',
    ],
    ['of version 3.0', () => signToken(v1Claims({ ver: '3.0' }), key), 'version'],
    ['of no version', () => signToken(v1Claims({ ver: undefined }), key), 'version'],
    [
      'from another issuer',
      () => signToken(v1Claims({ iss: `https://sts.example.com/${TENANT}/` }), key),
      'issuer',
    ],
    [
      'from the issuer of the other version',
      () => signToken(v2Claims({ iss: `https://sts.windows.net/${TENANT}/` }), key),
      'issuer',
    ],
    ['from the issuer of another tenant', () => signToken(v1Claims({ tid: OTHER_TENANT }), key), 'issuer'],
    ['of a tenant that is no id', () => signToken(ofTenant('common'), key), 'form'],
    ['of no tenant', () => signToken(v1Claims({ tid: undefined }), key), 'form'],
    ['without an end', () => signToken(v1Claims({ exp: undefined }), key), 'form'],
    ['without a beginning', () => signToken(v1Claims({ nbf: undefined }), key), 'form'],
    ['longer than a token is', () => signToken(v1Claims({ x: 'x'.repeat(8192) }), key), 'form'],
  ])('%s', async (_name, make, ...refusals) => {
    const found = await verifier.verify([make()], RECEIVED);
    expect(found).toEqual(refused(...refusals));
    expect(verdictFor(TENANT, found)).toBe('unproven');
  });

  it('of the tenant of an item, where there is none at all', async () => {
    expect(verdictFor(TENANT, await verifier.verify([], RECEIVED))).toBe('unproven');
  });

  it('where its key is said to be of another tenant alone', async () => {
    const issuer = `https://login.microsoftonline.com/${OTHER_TENANT}/v2.0`;
    entra.answerWith(answerJson({ keys: [listed(key, { issuer })] }));
    const tokens = [signToken(v1Claims(), key), signToken(v2Claims(), key)];
    expect(await verifier.verify(tokens, RECEIVED)).toEqual(refused('issuer', 'issuer'));
  });

  it('with any character of it altered', async () => {
    const token = signToken(v1Claims(), key);
    await verifier.verify([token], RECEIVED);
    const place = fc.nat(token.length - 1);
    const character = fc.constantFrom(...'ABCXYZabcxyz0189-_.= \u00e9');
    await fc.assert(
      fc.asyncProperty(place, character, async (at, put) => {
        const altered = token.slice(0, at) + put + token.slice(at + 1);
        // The last character of a signature has bits that stand for nothing.
        fc.pre(altered !== token && !(at === token.length - 1 && sameSignature(altered, token)));
        expect((await verifier.verify([altered], RECEIVED)).tenants).toEqual(new Set());
      }),
      { numRuns: 1000 },
    );
  });

  it('whatever text it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(fc.string()), { maxLength: 5 }), async (tokens) => {
        expect(await verifier.verify(tokens, RECEIVED)).toMatchObject({
          tenants: new Set(),
          undecided: false,
        });
      }),
    );
    expect(entra.asked).toEqual([]);
  });

  it('behind twenty others; 10,000 of them cause one request for keys at most', async () => {
    const worthless = Array.from(
      { length: 9_999 },
      (_, i) => `${base64url({ alg: 'RS256', kid: `unknown-${i}` })}.${base64url(v1Claims())}.AAAA`,
    );
    const right = signToken(v1Claims(), key);
    const found = await verifier.verify([...worthless, right], RECEIVED);
    expect(found.tenants).toEqual(new Set());
    expect(found.refusals).toHaveLength(20);
    expect(entra.asked).toEqual([V1_LIST]);
    expect(await verifier.verify([...worthless.slice(0, 19), right], RECEIVED)).toMatchObject({
      tenants: new Set([TENANT]),
    });
  });
});

describe('the time of a token is held against the time of receipt', () => {
  const token = signToken(v1Claims(), key);
  const [start, end] = [times.nbf * 1000, times.exp * 1000];

  it('so that a POST is proven by a token that has expired since', async () => {
    passTime(30 * 24 * HOUR_MS);
    expect(await verifier.verify([token], RECEIVED)).toEqual(proven(TENANT));
  });

  it.each([
    ['5 minutes before its beginning', start - 5 * MINUTE_MS, proven(TENANT)],
    ['more than 5 minutes before its beginning', start - 5 * MINUTE_MS - 1, refused('time')],
    ['just under 5 minutes after its end', end + 5 * MINUTE_MS - 1, proven(TENANT)],
    ['5 minutes after its end', end + 5 * MINUTE_MS, refused('time')],
  ])('with what two clocks may differ by: %s', async (_name, receivedAt, expected) => {
    vi.setSystemTime(end + HOUR_MS);
    expect(await verifier.verify([token], receivedAt)).toEqual(expected);
  });

  it('also for a token that was looked at before', async () => {
    vi.setSystemTime(end + HOUR_MS);
    for (let i = 0; i < 3; i++) {
      expect(await verifier.verify([token], RECEIVED)).toEqual(proven(TENANT));
      expect(await verifier.verify([token], end + HOUR_MS - 1)).toEqual(refused('time'));
    }
  });
});

describe('the list of keys', () => {
  const token = signToken(v1Claims(), key);
  const nextToken = signToken(v1Claims({ uti: 'next' }), nextKey);

  it('is asked for once by many at the same time, and then kept', async () => {
    const many = Array.from({ length: 50 }, (_, i) => signToken(v1Claims({ uti: `${i}` }), key));
    await Promise.all(many.map((one) => verifier.verify([one], RECEIVED)));
    passTime(11 * HOUR_MS);
    await verifier.verify([signToken(v1Claims({ uti: 'later' }), key)], Date.now());
    expect(entra.asked).toHaveLength(1);
  });

  it('is asked for again after 12 hours, and a token by a withdrawn key no longer proves anything', async () => {
    expect(await verifier.verify([token], RECEIVED)).toEqual(proven(TENANT));
    entra.answerWith(answerJson({ keys: [listed(nextKey)] }));
    passTime(12 * HOUR_MS);
    expect(await verifier.verify([nextToken], RECEIVED)).toEqual(proven(TENANT));
    expect(await verifier.verify([token], RECEIVED)).toEqual(refused('unknownKey'));
    expect(entra.asked).toHaveLength(2);
  });

  it('is asked for once more for a new key, so that a rotation loses nothing', async () => {
    await verifier.verify([token], RECEIVED);
    entra.answerWith(answerJson({ keys: [listed(nextKey), listed(key)] }));
    passTime(5 * MINUTE_MS);
    const [receivedAt] = [Date.now()];
    expect(await verifier.verify([nextToken], receivedAt)).toEqual(proven(TENANT));
    expect(entra.asked).toHaveLength(2);
  });

  it('leaves a new key undecided while it is younger than 5 minutes but older than the POST', async () => {
    await verifier.verify([token], RECEIVED);
    entra.answerWith(answerJson({ keys: [listed(nextKey), listed(key)] }));
    passTime(4 * MINUTE_MS);
    const receivedAt = Date.now();
    const found = await verifier.verify([nextToken], receivedAt);
    expect(found).toEqual(UNDECIDED);
    expect(verdictFor(TENANT, found)).toBe('undecided');
    expect(entra.asked).toHaveLength(1);
    passTime(MINUTE_MS);
    expect(await verifier.verify([nextToken], receivedAt)).toEqual(proven(TENANT));
  });

  it('is asked for every 5 minutes at most, however many unknown keys are named', async () => {
    await verifier.verify([token], RECEIVED);
    for (let second = 1; second <= 600; second += 3) {
      vi.setSystemTime(RECEIVED + 1000 + second * 1000);
      const unknown = signToken(v1Claims(), { ...foreignKey, kid: `unknown-${second}` });
      await verifier.verify([unknown], Date.now());
    }
    expect(entra.asked).toHaveLength(2);
  });

  it('never comes from an address that a token names', async () => {
    const elsewhere = await startKeyServer(certificate, answerJson({ keys: [listed(foreignKey)] }));
    onTestFinished(() => elsewhere.close());
    const header = { jku: `${elsewhere.url}/keys`, x5u: `${elsewhere.url}/certificates` };
    const named = signToken(v1Claims({ iss: `${elsewhere.url}/${TENANT}/` }), foreignKey, header);
    await verifier.verify([named], RECEIVED);
    expect(elsewhere.asked).toEqual([]);
  });
});

describe('while the keys cannot be had', () => {
  const token = signToken(v1Claims(), key);
  const bomb = gzipSync(JSON.stringify({ keys: [], filler: ' '.repeat(50 * 1024 * 1024) }));

  const troubles: readonly [string, Answer][] = [
    ['503', (_request, response) => void response.writeHead(503).end()],
    ['a page', (_request, response) => void response.writeHead(200).end('<html>')],
    ['another document', answerJson({ error: 'no keys here' })],
    [
      'a list without the end',
      (_request, response) => void response.writeHead(200).write('{"keys":[', () => response.destroy()),
    ],
    ['a broken connection', (request) => void request.socket.destroy()],
    [
      'a redirect',
      (request, response) =>
        void (request.url?.endsWith('/moved')
          ? answerJson({ keys: [listed(key)] })(request, response)
          : response.writeHead(302, { location: `${entra.url}/moved` }).end()),
    ],
    [
      'far too much, packed small',
      (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    ],
    ['a short key', answerJson({ keys: [{ kty: 'RSA', use: 'sig', kid: key.kid, n: 'AQAB', e: 'AQAB' }] })],
  ];

  it.each(troubles)(
    'for %s, nothing is decided, and all is well when they are back',
    async (_name, trouble) => {
      entra.answerWith(trouble);
      expect(await verifier.verify([token], RECEIVED)).toEqual(UNDECIDED);
      expect(entra.asked).toEqual([V1_LIST]);
      entra.answerWith(answerJson({ keys: [listed(key)] }));
      passTime(12 * HOUR_MS);
      expect(await verifier.verify([token], RECEIVED)).toEqual(proven(TENANT));
    },
  );

  it('they are asked for every 10 seconds at most', async () => {
    entra.answerWith((_request, response) => void response.writeHead(503).end());
    for (let i = 0; i < 5; i++) {
      expect(await verifier.verify([token], RECEIVED)).toEqual(UNDECIDED);
      passTime(2000 - 1);
    }
    expect(entra.asked).toHaveLength(1);
    passTime(5);
    await verifier.verify([token], RECEIVED);
    expect(entra.asked).toHaveLength(2);
  });

  it('a token that proves its tenant is not held up by one that is undecided', async () => {
    entra.answerWith((request, response) => {
      if (request.url === V1_LIST) answerJson({ keys: [listed(key)] })(request, response);
      else response.writeHead(503).end();
    });
    const other = v2Claims({
      tid: OTHER_TENANT,
      iss: `https://login.microsoftonline.com/${OTHER_TENANT}/v2.0`,
    });
    const found = await verifier.verify([token, signToken(other, key)], RECEIVED);
    expect(verdictFor(TENANT, found)).toBe('proven');
    expect(verdictFor(OTHER_TENANT, found)).toBe('undecided');
  });

  it.each<[string, Answer]>([
    ['does not come', () => undefined],
    ['does not end', (_request, response) => void response.writeHead(200).write('{"keys":[')],
  ])('an answer that %s is given up', async (_name, answer) => {
    entra.answerWith(answer);
    const impatient = newVerifier({ timeoutMs: 200 });
    expect(await impatient.verify([token], RECEIVED)).toEqual(UNDECIDED);
    expect(entra.asked).toEqual([V1_LIST]);
  });
});
