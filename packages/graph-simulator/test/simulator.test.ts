import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { GraphSimulator } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';
import { startReceiver } from './notification-receiver.ts';
import { subscribe } from './subscribe.ts';

describe('a simulator', () => {
  it('has a certificate that its authority vouches for, by address and by name', async () => {
    await using simulator = await GraphSimulator.start({ hostNames: ['graph.test'] });
    const port = Number(new URL(simulator.url).port);
    for (const servername of ['localhost', 'graph.test']) {
      const socket = connect({ host: '127.0.0.1', port, ca: simulator.caCertificate, servername });
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
      expect(socket.authorized).toBe(true);
      socket.destroy();
    }
  });

  it('closes twice, and in the middle of deliveries, and frees its port', async () => {
    const simulator = await GraphSimulator.start({ delivery: { collectMs: 1, retryBaseMs: 5 } });
    const { url } = simulator;
    await using receiver = await startReceiver({ answer: () => 'hang' });
    await using graph = await connectTo(simulator);
    await subscribe(graph, simulator.users()[0]?.id ?? '', receiver.url);
    simulator.life.start({ changesPerSecond: 500 });
    await expect.poll(() => receiver.posts.length).toBeGreaterThan(0);
    const idle = simulator.notifier.idle();
    const closed = Promise.all([simulator.close(), simulator.close()]);
    await expect(idle).rejects.toThrow('closed');
    await closed;
    await simulator.close();
    const again = await GraphSimulator.start({ port: Number(new URL(url).port) });
    expect(again.url).toBe(url);
    await again.close();
  });

  it('starts and stops many times, side by side', async () => {
    const cycle = async () => {
      for (let i = 0; i < 5; i += 1) {
        await using simulator = await GraphSimulator.start({ users: 1 });
        simulator.life.step();
      }
    };
    await Promise.all(Array.from({ length: 4 }, cycle));
  });

  it('says so when its port is taken', async () => {
    await using simulator = await GraphSimulator.start();
    const port = Number(new URL(simulator.url).port);
    await expect(GraphSimulator.start({ port })).rejects.toThrow('EADDRINUSE');
  });

  it('makes the same users from the same seed', async () => {
    await using one = await GraphSimulator.start({ seed: 9, users: 20 });
    await using two = await GraphSimulator.start({ seed: 9, users: 5 });
    expect(two.seedUsers(20)).toEqual(one.users());
    const names = new Set(one.users().map(({ userPrincipalName }) => userPrincipalName));
    expect(names.size).toBe(20);
  });

  it('carries out a change in well under a millisecond', async () => {
    await using simulator = await GraphSimulator.start();
    const startedMs = performance.now();
    for (let i = 0; i < 2_000; i += 1) simulator.life.step();
    expect((performance.now() - startedMs) / 2_000).toBeLessThan(0.5);
  });
});
