import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePort } from '../src/free-port.ts';

it('gives ports that can be listened on, and none twice', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
  expect(new Set(ports).size).toBe(50);
  for (const port of ports) {
    const server = createServer().listen({ port, host: '127.0.0.1' });
    await once(server, 'listening');
    server.close();
  }
});

it('stays below the ports of outgoing connections', async () => {
  expect(await freePort()).toBeLessThan(32_768);
});
