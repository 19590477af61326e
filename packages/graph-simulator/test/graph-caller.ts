// Calls a simulator as an app would: over HTTPS, trusting its authority, with a token of its own.
import { Agent, fetch, type Response } from 'undici';
import type { GraphSimulator } from '../src/index.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Response['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

export interface GraphCaller extends AsyncDisposable {
  /** With a token, below /v1.0: call('GET', '/users'). An absolute URL (a nextLink) is taken as it is. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Without a token, below the simulator's origin. */
  raw(method: string, path: string, options?: CallOptions): Promise<Answer>;
  token(form?: Record<string, string>, tenantId?: string): Promise<Answer>;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const body = isJson && text !== '' ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, body };
}

export async function connectTo(
  simulator: GraphSimulator,
  credentials: { clientId?: string; clientSecret?: string; tenantId?: string } = {},
): Promise<GraphCaller> {
  const dispatcher = new Agent({ connect: { ca: simulator.caCertificate } });
  const send = async (method: string, url: string, options: CallOptions = {}) => {
    const { body, headers = {}, signal } = options;
    const isForm = body instanceof URLSearchParams;
    const content = body === undefined || isForm ? {} : { 'content-type': 'application/json' };
    const payload = isForm || typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(url, {
      method,
      dispatcher,
      redirect: 'manual',
      headers: { ...content, ...headers },
      ...(body !== undefined && { body: payload }),
      ...(signal !== undefined && { signal }),
    });
    return answerOf(response);
  };
  const token = (
    form: Record<string, string> = {},
    tenantId = credentials.tenantId ?? simulator.tenantId,
  ) => {
    const fields = {
      grant_type: 'client_credentials',
      client_id: credentials.clientId ?? simulator.clientId,
      client_secret: credentials.clientSecret ?? simulator.clientSecret,
      scope: 'https://graph.microsoft.com/.default',
      ...form,
    };
    return send('POST', `${simulator.url}/${tenantId}/oauth2/v2.0/token`, {
      body: new URLSearchParams(fields),
    });
  };
  const authorization = `Bearer ${(await token()).body.access_token}`;
  return {
    token,
    raw: (method, path, options) => send(method, `${simulator.url}${path}`, options),
    call: (method, path, options = {}) => {
      const url = path.startsWith('https://') ? path : `${simulator.url}/v1.0${path}`;
      return send(method, url, { ...options, headers: { authorization, ...options.headers } });
    },
    [Symbol.asyncDispose]: () => dispatcher.close(),
  };
}
