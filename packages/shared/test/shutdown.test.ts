import { describe, expect, it } from 'vitest';
import { createLogger, createShutdown } from '../src/index.ts';

/** A shutdown, its log, and parts that note the order in which they were closed. */
function own(graceMs = 5000) {
  const lines: { message: string; part?: string; err?: { message: string }; unclosed?: string[] }[] = [];
  const log = createLogger('test', 'info', { write: (line: string) => void lines.push(JSON.parse(line)) });
  const closed: string[] = [];
  const shutdown = createShutdown(log, graceMs);
  const add = (name: string, close: () => unknown = () => undefined) =>
    shutdown.add(name, () => {
      closed.push(name);
      return close();
    });
  return { shutdown, add, closed, lines };
}

/** Timers that would keep the process alive. */
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

describe('createShutdown', () => {
  it('closes what was added last first, one after the other', async () => {
    const { shutdown, add, closed } = own();
    const open = new Set(['redis', 'writer', 'listener']);
    for (const name of open) {
      add(name, async () => {
        await new Promise(setImmediate);
        expect([...open].at(-1)).toBe(name);
        open.delete(name);
      });
    }
    expect(await shutdown.run('SIGTERM')).toEqual([]);
    expect(closed).toEqual(['listener', 'writer', 'redis']);
  });

  it('closes once, however often it is asked', async () => {
    const { shutdown, add, closed } = own();
    add('part');
    const runs = [shutdown.run('SIGTERM'), shutdown.run('SIGINT')];
    expect(await Promise.all(runs)).toEqual([[], []]);
    await shutdown.run('again');
    expect(closed).toEqual(['part']);
  });

  it('goes on when a part fails, by rejection or at once, and names it', async () => {
    const { shutdown, add, closed, lines } = own();
    add('first');
    add('rejects', () => Promise.reject(new Error('will not')));
    add('throws', () => {
      throw new Error('cannot');
    });
    expect(await shutdown.run('SIGTERM')).toEqual(['throws', 'rejects']);
    expect(closed).toEqual(['throws', 'rejects', 'first']);
    expect(lines.filter(({ message }) => message === 'service.part-not-closed')).toMatchObject([
      { part: 'throws', err: { message: 'cannot' } },
      { part: 'rejects', err: { message: 'will not' } },
    ]);
  });

  it('gives up on a part that does not end in time, and still closes the others', async () => {
    const { shutdown, add, closed } = own(50);
    add('first');
    add('stuck', () => new Promise(() => undefined));
    const startedAt = performance.now();
    expect(await shutdown.run('SIGTERM')).toEqual(['stuck']);
    expect(closed).toEqual(['stuck', 'first']);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it('has one deadline for all parts together', async () => {
    const { shutdown, add } = own(100);
    for (let n = 0; n < 30; n++) add(`stuck ${n}`, () => new Promise(() => undefined));
    const startedAt = performance.now();
    expect(await shutdown.run('SIGTERM')).toHaveLength(30);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it('closes what can be closed at once even after the deadline', async () => {
    const { shutdown, add, closed } = own(10);
    add('quick');
    add('stuck', () => new Promise(() => undefined));
    expect(await shutdown.run('SIGTERM')).toEqual(['stuck']);
    expect(closed).toContain('quick');
  });

  it('leaves no timer', async () => {
    const before = timers();
    const { shutdown, add } = own(60_000);
    add('part');
    add('fails', () => Promise.reject(new Error('x')));
    await shutdown.run('SIGTERM');
    expect(timers()).toBe(before);
  });

  it('closes a part too that was still starting and is added meanwhile', async () => {
    const { shutdown, add, closed } = own();
    add('redis');
    add('starter', () => add('late part'));
    expect(await shutdown.run('SIGTERM')).toEqual([]);
    expect(closed).toEqual(['starter', 'late part', 'redis']);
  });

  it('closes a part at once that is added after the end', async () => {
    const { shutdown, add, closed } = own();
    await shutdown.run('SIGTERM');
    add('much too late');
    await expect.poll(() => closed).toEqual(['much too late']);
  });

  it('survives a part that is added after the end and cannot be closed', async () => {
    const { shutdown, lines } = own();
    await shutdown.run('SIGTERM');
    shutdown.add('late', () => Promise.reject(new Error('will not')));
    await expect.poll(() => lines.at(-1)).toMatchObject({ part: 'late', err: { message: 'will not' } });
  });

  it('ends with nothing to close', async () => {
    expect(await own().shutdown.run('SIGTERM')).toEqual([]);
  });

  it('tells why it began, and what is left', async () => {
    const { shutdown, add, lines } = own(20);
    add('stuck', () => new Promise(() => undefined));
    await shutdown.run('SIGTERM');
    expect(lines[0]).toMatchObject({ message: 'service.stopping', reason: 'SIGTERM', grace_ms: 20 });
    expect(lines.at(-1)).toMatchObject({ message: 'service.stopped', unclosed: ['stuck'] });
  });
});
