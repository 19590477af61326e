/** Whether Graph answers, and what its clock says: with the simulator, and with what is no Graph. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { judgeSkew, skewOf } from '../../src/doctor/clock-skew.ts';
import { checkGraph, judgeGraph } from '../../src/doctor/graph-check.ts';
import { graphCalls, simulateGraph } from '../support/simulated-graph.ts';
import { makeCertificates, serve, trust } from './https-stand-ins.ts';

const signal = new AbortController().signal;

describe('Graph', () => {
  it('answers a call that takes no permission and changes nothing', async () => {
    const { simulator, tokens } = await simulateGraph();
    const remarks = await checkGraph(simulator.url, await tokens.current(), Date.now, signal);
    expect(remarks).toEqual([
      {
        level: 'ok',
        found: expect.stringMatching(/^127\.0\.0\.1:\d+ answers in \d+ ms; its clock is [01] s off ours$/),
      },
    ]);
    expect(new Set(graphCalls(simulator))).toEqual(
      new Set(['GET /v1.0/subscriptions/00000000-0000-0000-0000-000000000000']),
    );
  });

  it('is there also for who has no token', async () => {
    const { simulator } = await simulateGraph();
    expect(await checkGraph(simulator.url, undefined, Date.now, signal)).toMatchObject([{ level: 'ok' }]);
  });

  it('that refuses the token is an error without the token', async () => {
    const { simulator } = await simulateGraph();
    const remarks = await checkGraph(simulator.url, 'PLANTED', Date.now, signal);
    expect(remarks).toMatchObject([
      { level: 'error', found: expect.stringContaining('refuses the token (401)') },
    ]);
    expect(JSON.stringify(remarks)).not.toContain('PLANTED');
  });

  it.each([
    [-40_000, 'warning', 'ahead of'],
    [40_000, 'warning', 'behind'],
    [-400_000, 'error', 'ahead of'],
  ])('whose clock differs by %i ms is a %s', async (skewMs, level, word) => {
    const { simulator, tokens } = await simulateGraph();
    simulator.faults.add({ on: 'clock', skewMs });
    const remarks = await checkGraph(simulator.url, await tokens.current(), Date.now, signal);
    expect(remarks[1]).toMatchObject({
      level,
      found: expect.stringContaining(word),
      cure: expect.stringContaining('NTP'),
    });
  });

  it('that nobody has at this address, or nobody trusts, is an error', async () => {
    expect(await checkGraph(`https://127.0.0.1:${await freePort()}`, 'x', Date.now, signal)).toMatchObject([
      { level: 'error', found: expect.stringContaining('ECONNREFUSED') },
    ]);
    const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-doctor-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const { selfSigned, root, whole } = await makeCertificates(dir);
    expect(await checkGraph(await serve(selfSigned), 'x', Date.now, signal)).toMatchObject([
      { level: 'error', cure: expect.stringContaining('NODE_EXTRA_CA_CERTS') },
    ]);
    trust(root);
    const elsewhere = await serve(whole, (_request, response) => {
      response.writeHead(302, { location: 'https://proxy.example/' }).end();
    });
    expect(await checkGraph(elsewhere, 'x', Date.now, signal)).toMatchObject([
      { level: 'error', found: expect.stringContaining('a redirect (302): this is not Graph') },
    ]);
  });
});

describe('an answer', () => {
  const at = Date.UTC(2026, 10, 23, 12);
  const answer = {
    status: 404,
    date: new Date(at).toUTCString(),
    sentAt: at,
    answeredAt: at + 1000,
    latencyMs: 20,
  };
  const judge = (more: Partial<typeof answer>) =>
    judgeGraph({ ...answer, ...more }, 'graph.example', true).map(({ level, found }) => `${level}: ${found}`);

  it('is well where it says that there is no such subscription', () => {
    expect(judge({})).toEqual(['ok: graph.example answers in 20 ms; its clock is 0 s off ours']);
  });

  it.each([
    [403, 'error: graph.example refuses the app (403)'],
    [429, 'warning: graph.example asks for a pause (429)'],
    [503, 'warning: graph.example asks for a pause (503)'],
    [500, 'error: graph.example answers 500'],
  ])('of %i is told as it is', (status, line) => expect(judge({ status })).toEqual([line]));

  it('that takes long is a warning', () => {
    expect(judge({ latencyMs: 2500 })[1]).toBe('warning: graph.example takes 2500 ms to answer');
  });
});

describe('the difference of two clocks', () => {
  it('is what neither the time that the call took nor the cut second can explain', () => {
    const noon = Date.UTC(2026, 10, 23, 12);
    const skew = (sentAt: number, answeredAt: number) =>
      skewOf('Mon, 23 Nov 2026 12:00:00 GMT', noon + sentAt, noon + answeredAt);
    expect([skew(0, 0), skew(999, 999), skew(-60_000, 60_000)]).toEqual([0, 0, 0]);
    expect([skew(40_999, 41_000), skew(-41_000, -40_000)]).toEqual([40_000, -40_000]);
    expect(skewOf(undefined, 0, 0)).toBeUndefined();
    expect(skewOf('noon', 0, 0)).toBeUndefined();
  });

  it('is nothing up to 30 s, a warning up to 5 min, an error beyond', () => {
    const levels = [0, 30_000, -30_000, 30_001, 300_000, -300_001].map((ms) => judgeSkew(ms)[0]?.level);
    expect(levels).toEqual([undefined, undefined, undefined, 'warning', 'warning', 'error']);
  });
});
