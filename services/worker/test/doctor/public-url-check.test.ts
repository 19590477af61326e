/** A notification URL, met as Graph meets it: what is wrong with it is told by name, with the cure. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@graph2kafka/test-harness';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem, Remark } from '../../src/doctor/finding.ts';
import { judgeHandshake } from '../../src/doctor/judge-handshake.ts';
import { isPrivateAddress } from '../../src/doctor/private-address.ts';
import { checkPublicUrl } from '../../src/doctor/public-url-check.ts';
import { judgeUrlForm } from '../../src/doctor/url-form.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { type Certificates, echo, makeCertificates, type Shown, serve, trust } from './https-stand-ins.ts';

let dir: string;
let shown: Certificates;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'graph2kafka-doctor-'));
  shown = await makeCertificates(dir);
  trust(shown.root);
});

afterAll(() => rm(dir, { recursive: true, force: true }));

type Options = { readonly onInternet?: boolean; readonly now?: number; readonly handshakeWithinMs?: number };

/** `onInternet` false: that localhost is private is told elsewhere. */
function check(
  url: string,
  { onInternet = false, now = Date.now(), ...rest }: Options = {},
): Promise<Remark[]> {
  const named = { setting: 'NOTIFICATION_URL', url, path: '/events' } as const;
  return checkPublicUrl(named, { onInternet, now: () => now, ...rest }, new AbortController().signal);
}

const problemsOf = async (checking: Promise<Remark[]>) =>
  (await checking).filter((remark): remark is Problem => remark.level !== 'ok');

describe('a URL as it has to be', () => {
  it('is well: its certificate until when, its TLS, its answer', async () => {
    const remarks = await check(`${await serve(shown.whole)}/events`);
    expect(remarks).toEqual([
      {
        level: 'ok',
        found: expect.stringMatching(/^localhost:\d+ shows a trusted certificate until .*, TLSv1\.3$/),
      },
      {
        level: 'ok',
        found: expect.stringMatching(/^localhost:\d+\/events answers the handshake in \d+ ms$/),
      },
    ]);
  });

  it('keeps a query of its own beside the token', async () => {
    const seen: string[] = [];
    const origin = await serve(shown.whole, (request, response) => {
      seen.push(request.url ?? '');
      echo(request, response);
    });
    expect(await problemsOf(check(`${origin}/events?key=1`))).toEqual([]);
    expect(JSON.stringify(await check(`${origin}/events?key=PLANTED`))).not.toContain('PLANTED');
    expect(seen.slice(0, 1)).toEqual([
      expect.stringMatching(/^\/events\?key=1&validationToken=Validation%3A\+g2k\+doctor/),
    ]);
  });

  it('may be plain http for a simulator, which Graph does not take', async () => {
    const url = `${await serve(undefined)}/events`;
    expect(await problemsOf(check(url))).toEqual([]);
    expect(
      (await problemsOf(check(url, { onInternet: true }))).map(({ level, found }) => [level, found]),
    ).toEqual([
      ['error', expect.stringContaining('Graph takes https alone')],
      ['warning', expect.stringMatching(/^localhost is 127\.0\.0\.1.* here, which Graph cannot reach$/)],
    ]);
  });
});

describe('a certificate', () => {
  it.each<[string, keyof Certificates, string, string]>([
    [
      'without its intermediate',
      'withoutIntermediate',
      'does not show the certificate of its issuer intermediate (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
      'fullchain.pem',
    ],
    ['that is self-signed', 'selfSigned', 'is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT)', 'public authority'],
    ['that has expired', 'expired', 'has expired', 'renew it'],
    [
      'for another name',
      'otherName',
      'is for DNS:other.example (ERR_TLS_CERT_ALTNAME_INVALID)',
      'get one for localhost',
    ],
    [
      'of an authority that nobody knows',
      'strangeAuthority',
      'an authority that is not trusted, by strange (SELF_SIGNED_CERT_IN_CHAIN)',
      'public authority',
    ],
  ])(
    '%s is an error with its cure, and the answer is looked at all the same',
    async (_name, which, found, cure) => {
      const remarks = await check(`${await serve(shown[which] as Shown)}/events`);
      expect(remarks).toEqual([
        { level: 'error', found: expect.stringContaining(found), cure: expect.stringContaining(cure) },
        { level: 'ok', found: expect.stringContaining('answers the handshake') },
      ]);
    },
  );

  it('that ends in three days is a warning', async () => {
    expect(await problemsOf(check(`${await serve(shown.endsSoon)}/events`))).toEqual([
      {
        level: 'warning',
        found: expect.stringMatching(/ends in 2 days$/),
        cure: expect.stringContaining('renew it'),
      },
    ]);
  });

  it('is of no use with TLS before 1.2', async () => {
    const origin = await serve(shown.whole, echo, {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    expect(await check(`${origin}/events`)).toEqual([
      {
        level: 'error',
        found: expect.stringContaining('speaks no TLS that Graph takes'),
        cure: expect.stringContaining('TLS 1.2'),
      },
    ]);
  });

  it('is not there where http is spoken', async () => {
    const origin = (await serve(undefined)).replace('http:', 'https:');
    expect(await check(`${origin}/events`)).toEqual([
      {
        level: 'error',
        found: expect.stringContaining('speaks no TLS'),
        cure: expect.stringContaining('if it speaks http'),
      },
    ]);
  });
});

describe('the answer to a handshake', () => {
  const html = { 'content-type': 'text/html; charset=utf-8' };
  const text = { 'content-type': 'text/plain', 'x-content-type-options': 'nosniff' };
  const redirect = (location: string) => ({ status: 302, headers: { location }, body: '' });

  it.each([
    [
      'a redirect to a login',
      redirect('https://login.microsoftonline.com/common/oauth2/authorize?client_id=x'),
      'sends to a login at login.microsoftonline.com (302)',
    ],
    [
      'a login of App Service',
      redirect('/.auth/login/aad?post=x'),
      /sends to a login at localhost:\d+ \(302\)$/,
    ],
    [
      'another redirect',
      redirect('https://www.example.com/events'),
      'redirects to https://www.example.com/events (302)',
    ],
    ['a redirect to nowhere', { status: 301, headers: {}, body: '' }, /redirect/],
    [
      'a wall',
      { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: '' },
      'asks for a login (401)',
    ],
    ['a forbidden door', { status: 403, headers: html, body: '<html>' }, 'forbids it (403)'],
    [
      'a login page',
      { status: 200, headers: html, body: '<!doctype html><h1>Sign in</h1>' },
      'answers with a login page, status 200',
    ],
    [
      'a page',
      { status: 200, headers: html, body: '<html>Welcome' },
      'answers with a page (HTML), status 200',
    ],
    ['another path', { status: 404, headers: text, body: '' }, 'nothing to POST to at this path (404)'],
    [
      'a proxy without a receiver',
      { status: 502, headers: text, body: 'bad gateway' },
      'reaches no receiver',
    ],
    ['an acceptance', { status: 202, headers: text, body: '' }, 'answers 202 where Graph wants 200'],
    ['other text', { status: 200, headers: text, body: 'OK' }, 'does not give the token back as it was sent'],
  ])('that is %s is an error that says so', async (_name, { status, headers, body }, found) => {
    const origin = await serve(shown.whole, (_request, response) =>
      response.writeHead(status, headers).end(body),
    );
    const [problem, ...more] = await problemsOf(check(`${origin}/events`));
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ level: 'error', cure: expect.stringMatching(/\w/) });
    expect(problem?.found).toMatch(found);
  });

  it('that gives the token back still encoded is an error', async () => {
    const origin = await serve(shown.whole, (request, response) => {
      response.writeHead(200, text).end(request.url?.split('validationToken=')[1]);
    });
    expect((await problemsOf(check(`${origin}/events`))).map(({ found }) => found)).toEqual([
      expect.stringContaining('still encoded'),
    ]);
  });

  it('that comes as JSON is an error, and one without nosniff a warning', async () => {
    const as = (type: string) =>
      serve(shown.whole, (request, response) => {
        response.setHeader('content-type', type);
        const { searchParams } = new URL(request.url ?? '', 'https://localhost');
        response.end(searchParams.get('validationToken'));
      });
    expect((await problemsOf(check(`${await as('application/json')}/events`)))[0]).toMatchObject({
      level: 'error',
      found: expect.stringContaining('as application/json, where Graph wants text/plain'),
    });
    expect(await problemsOf(check(`${await as('text/plain')}/events`))).toMatchObject([
      { level: 'warning', found: expect.stringContaining('nosniff') },
    ]);
  });

  it('that does not come in time is an error', async () => {
    const origin = await serve(shown.whole, () => undefined);
    expect(await problemsOf(check(`${origin}/events`, { handshakeWithinMs: 200 }))).toMatchObject([
      { level: 'error', found: expect.stringContaining('does not answer the handshake within 0.2 s') },
    ]);
  });
});

describe('a host', () => {
  it('that has no name is an error', async () => {
    expect(await check('https://receiver.invalid/events')).toMatchObject([
      { level: 'error', found: 'the name receiver.invalid cannot be resolved here' },
    ]);
  });

  it('where nothing listens is an error', async () => {
    expect(await check(`https://localhost:${await freePort()}/events`)).toMatchObject([
      { level: 'error', found: expect.stringContaining('refuses connections (ECONNREFUSED)') },
    ]);
  });

  it('that takes connections and is silent is given up with the check', async () => {
    const { address } = await startBlackHole();
    const url = { setting: 'NOTIFICATION_URL', url: `https://${address}/events`, path: '/events' } as const;
    const deps = { onInternet: false, now: Date.now, tlsWithinMs: 200 };
    expect(await checkPublicUrl(url, deps, new AbortController().signal)).toMatchObject([
      { level: 'error', found: `${address} does not answer` },
    ]);
  });

  it.each([
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.1.1',
    '127.0.0.1',
    '::1',
    'fd00::1',
    'fe80::1',
    '::ffff:10.0.0.1',
  ])('at %s is private', (address) => expect(isPrivateAddress(address)).toBe(true));

  it.each(['20.20.32.1', '172.32.0.1', '192.167.1.1', '2603:1000::1', 'receiver.example'])(
    'at %s is not',
    (address) => expect(isPrivateAddress(address)).toBe(false),
  );
});

describe('the form of a URL', () => {
  const judge = (url: string) => judgeUrlForm({ setting: 'NOTIFICATION_URL', url, path: '/events' }, true);

  it.each(['https://a.example/events', 'https://a.example/some/events?x=1', 'https://a.example/lifecycle'])(
    '%s is well',
    (url) => expect(judge(url)).toEqual([]),
  );

  it.each([
    ['http://a.example/events', 'Graph takes https alone'],
    ['https://me:PLANTED@a.example/events', 'holds a user or a password'],
    ['https://a.example/events#x', 'behind #'],
    ['https://a.example/', 'the path of NOTIFICATION_URL is /'],
    ['https://a.example/event', 'the receiver listens on /events'],
  ])('%s is complained of', (url, found) => {
    const problems = judge(url);
    expect(problems).toMatchObject([{ found: expect.stringContaining(found) }]);
    expect(JSON.stringify(problems)).not.toContain('PLANTED');
  });
});

describe('an answer that took', () => {
  const answer = {
    status: 200,
    contentType: 'text/plain',
    location: undefined,
    challenge: undefined,
    nosniff: true,
    body: 't',
  };
  const judge = (tookMs: number) =>
    judgeHandshake({ token: 't', answer: { ...answer, tookMs } }, 'a.example/events').map(
      ({ level }) => level,
    );

  it('3 s is well, longer a warning', () => {
    expect([judge(3000), judge(3001)]).toEqual([['ok'], ['ok', 'warning']]);
  });
});
