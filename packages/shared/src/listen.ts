/** Opens a listener, or says in one sentence why not and what to do. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { ConfigError } from './parse-config.ts';

export type ListenOptions = {
  /** 0: any free one. */
  readonly port: number;
  /** All interfaces without it. */
  readonly host?: string;
  /** The setting that names the port, for the error. */
  readonly setting: string;
};

/** Resolves to the port; rejects with a `ConfigError` where it is taken or not allowed. */
export async function listen(server: Server, { port, host, setting }: ListenOptions): Promise<number> {
  server.listen({ port, ...(host === undefined ? {} : { host }) });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new ConfigError([`${setting}: ${problemOf(error, port)}`]);
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function problemOf(error: unknown, port: number): string {
  const { code } = error as { code?: unknown };
  if (code === 'EADDRINUSE') return `port ${port} is in use; end what listens there, or choose another`;
  if (code === 'EACCES') return `port ${port} may not be opened by this user; choose one above 1023`;
  return `port ${port} cannot be opened (${String(code)})`;
}
