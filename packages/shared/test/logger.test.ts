import { describe, expect, it } from 'vitest';
import { createLogger } from '../src/index.ts';

const CANARY = 'canary-9c1f2e';

function logger(level = 'trace', project?: string) {
  const lines: string[] = [];
  const log = createLogger('receiver', level, { write: (line: string) => void lines.push(line) }, project);
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') };
}

const secretFields = [
  'clientState',
  'validationToken',
  'validationTokens',
  'authorization',
  'Authorization',
  'password',
  'client_secret',
  'clientSecret',
  'access_token',
  'accessToken',
  'encryptedContent',
  'body',
];

describe('createLogger', () => {
  it('writes one line of JSON: service, level, severity, time, message, fields', () => {
    const { log, lines, last } = logger();
    log.warn({ owner: 'o', duration_ms: 3 }, 'notification.stored');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith('}\n')).toBe(true);
    expect(last()).toEqual({
      level: 'warn',
      severity: 'WARNING',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      service: 'receiver',
      message: 'notification.stored',
      owner: 'o',
      duration_ms: 3,
    });
  });

  it.each([
    ['debug', 'DEBUG'],
    ['info', 'INFO'],
    ['warn', 'WARNING'],
    ['error', 'ERROR'],
    ['fatal', 'CRITICAL'],
  ] as const)('says of %s what Cloud Logging calls %s', (level, severity) => {
    const { log, last } = logger();
    log[level]('something');
    expect(last()).toMatchObject({ level, severity });
  });

  it('names the trace of a line as Cloud Logging reads it, where its project is known', () => {
    const name = 'logging.googleapis.com/trace';
    const { log, last } = logger('info', 'contoso-prod');
    log.info({ trace_id: 'd110e804ba8e5b8aefbec72043a97a67' }, 'notification.stored');
    expect(last()[name]).toBe('projects/contoso-prod/traces/d110e804ba8e5b8aefbec72043a97a67');
    log.info({ trace_id: undefined }, 'record.published');
    expect(last()).not.toHaveProperty(name);
    const elsewhere = logger();
    elsewhere.log.info({ trace_id: 'd110e804ba8e5b8aefbec72043a97a67' }, 'notification.stored');
    expect(elsewhere.last()).toMatchObject({ trace_id: 'd110e804ba8e5b8aefbec72043a97a67' });
    expect(elsewhere.last()).not.toHaveProperty(name);
  });

  it('keeps one entry on one line, whatever is in it', () => {
    const { log, lines } = logger();
    log.info({ resource: 'a\r\n{"level":"fatal"}\u2028' }, 'line\nline');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd()).not.toMatch(/[\r\n]/);
  });

  it('writes nothing below its level', () => {
    const { log, lines } = logger('warn');
    log.info('quiet');
    log.error('loud');
    expect(lines).toHaveLength(1);
  });

  it.each([
    ['trace', 'DEBUG'],
    ['info', 'INFO'],
    ['error', 'ERROR'],
    ['fatal', 'CRITICAL'],
  ] as const)('says %s as %s too', (level, severity) => {
    const { log, last } = logger();
    log[level]('x');
    expect(last()).toMatchObject({ level, severity });
  });

  it.each(secretFields)('takes %s out, in an object, in what that holds, and once deeper', (field) => {
    const { log, lines } = logger();
    const secret = { [field]: CANARY };
    log.info(secret, 'x');
    log.info({ a: secret }, 'x');
    log.info({ a: { b: secret } }, 'x');
    log.info({ items: [secret] }, 'x');
    log.info({ [field]: { deep: [CANARY] } }, 'x');
    log.child(secret).info('x');
    log.child({ a: secret }).info({ b: 1 }, 'x');
    expect(lines).toHaveLength(7);
    expect(lines.join('')).not.toContain(CANARY);
    expect(lines.join('')).toContain('[redacted]');
  });

  it('tells of an error its name, code, text and place', () => {
    const { log, last } = logger();
    log.error({ err: Object.assign(new RangeError('too far'), { code: 'E_FAR' }) }, 'x');
    expect(last().err).toEqual({
      type: 'RangeError',
      code: 'E_FAR',
      message: 'too far',
      stack: expect.stringContaining('logger.test.ts'),
    });
  });

  it('tells the same of its causes', () => {
    const { log, last } = logger();
    const root = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    log.error({ err: new Error('not stored', { cause: new TypeError('in between', { cause: root }) }) }, 'x');
    expect(last().err).toMatchObject({
      message: 'not stored',
      cause: {
        type: 'TypeError',
        message: 'in between',
        cause: { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' },
      },
    });
  });

  it('survives errors that cause each other, and long chains of causes', () => {
    const { log, lines } = logger();
    const circular = new Error('a');
    circular.cause = new Error('b', { cause: circular });
    log.error({ err: circular }, 'x');
    let chain = new Error('root');
    for (let n = 0; n < 20_000; n++) chain = new Error('link', { cause: chain });
    log.error({ err: chain }, 'x');
    expect(lines).toHaveLength(2);
    expect(lines.every((line) => line.length < 20_000)).toBe(true);
  });

  it('tells nothing of what an error carries with it: requests, commands, bodies', () => {
    const { log, lines } = logger();
    const baggage = {
      command: { name: 'evalsha', args: [CANARY] },
      config: { headers: { Cookie: CANARY } },
      request: { path: CANARY },
      response: { data: { text: CANARY } },
      errors: [new Error(CANARY)],
      toString: () => CANARY,
      toJSON: () => ({ text: CANARY }),
    };
    const error = Object.assign(new Error('failed'), baggage);
    log.error({ err: error }, 'x');
    log.error(error);
    log.error({ err: new Error('outer', { cause: error }) }, 'x');
    log.error({ err: new AggregateError([new Error(CANARY)], 'several') }, 'x');
    expect(lines).toHaveLength(4);
    expect(lines.join('')).not.toContain(CANARY);
  });

  it('keeps the end of a long text out, also of one with many lines', () => {
    const { log, lines } = logger();
    log.error({ err: new Error(`${'x'.repeat(600)}${CANARY}`) }, 'x');
    log.error({ err: new Error(`${'x\n'.repeat(300)}${CANARY}`) }, 'x');
    log.error({ err: new Error(`first\n${'x'.repeat(600)}${CANARY}`) }, 'x');
    expect(lines.join('')).not.toContain(CANARY);
  });

  it.each([['text'], [null], [42], [{ message: 'odd' }]])('survives that %j was thrown', (thrown) => {
    const { log, last } = logger();
    log.error({ err: thrown }, 'x');
    expect(last()).toHaveProperty('err');
  });
});
