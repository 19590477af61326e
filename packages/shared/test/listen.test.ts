import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError, listen } from '../src/index.ts';

function ownServer() {
  const server = createServer();
  onTestFinished(() => void server.close());
  return server;
}

describe('listen', () => {
  it('resolves to the port that it was given', async () => {
    const server = ownServer();
    const port = await listen(server, { port: 0, host: '127.0.0.1', setting: 'PORT' });
    expect(server.address()).toMatchObject({ address: '127.0.0.1', port });
  });

  it('says in one sentence that the port is taken, and by which setting to change it', async () => {
    const port = await listen(ownServer(), { port: 0, host: '127.0.0.1', setting: 'PORT' });
    const second = listen(ownServer(), { port, host: '127.0.0.1', setting: 'ADMIN_PORT' });
    await expect(second).rejects.toThrow(ConfigError);
    await expect(second).rejects.toThrow(
      `ADMIN_PORT: port ${port} is in use; end what listens there, or choose another`,
    );
  });
});
