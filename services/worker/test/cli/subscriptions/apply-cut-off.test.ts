/** `g2k apply`, stopped in the middle, and as a process of its own. */
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../../src/cli/run-command.ts';
import { createRedisFleet } from '../../../src/subscriptions/redis-fleet.ts';
import { commandProcess } from '../../support/command-process.ts';
import { subscriptionCommands } from '../../support/subscription-commands.ts';

/** Not waited for, with what it says so far, and what Ctrl-C does. */
function apply(environment: Readonly<Record<string, string>>) {
  const err: string[] = [];
  const interrupts: (() => void)[] = [];
  const applying = runCommand(['apply', '--yes'], {
    environment,
    now: Date.now,
    onInterrupt(handler) {
      interrupts.push(handler);
      return () => undefined;
    },
    terminal: {
      out: () => undefined,
      err: (line) => void err.push(line),
      isInteractive: false,
      ask: async () => '',
    },
  });
  return { applying, err, stop: () => interrupts.map((handler) => handler()) };
}

describe('apply beside another process that changes subscriptions', () => {
  it('waits for its end, and says so', async () => {
    const { users, wantCalendars, redis, names, environment, atGraph } = await subscriptionCommands();
    await wantCalendars(users);
    const other = await createRedisFleet(redis, names, Date.now).hold();
    const { applying, err } = apply(environment);
    await eventually(() => expect(err).toContain('a worker is changing subscriptions: waiting for its end'));
    expect(atGraph()).toEqual([]);
    await other?.release();
    expect([await applying, atGraph().length]).toEqual([0, 3]);
  });
});

describe('apply, stopped in the middle', () => {
  it('notes what was done, lets others go on, and makes nothing twice', async () => {
    const { run, users, wantCalendars, endpoint, environment, atGraph } = await subscriptionCommands({
      users: 40,
    });
    await wantCalendars(users);
    const { applying, err, stop } = apply(environment);
    await eventually(() => expect(endpoint.hits).toBeGreaterThan(0), { intervalMs: 1 });
    stop();
    expect([await applying, err.at(-1)]).toEqual([1, 'stopped; `g2k apply` goes on from here']);
    // It was we who let go of the lease, and nobody else has it.
    expect(err.join()).not.toContain('a worker is changing');
    const made = atGraph().map(({ id }) => id);
    expect(made.length).toBeLessThan(40);
    const { code, out } = await run('apply --yes');
    expect([code, out.split('\n').at(-1)]).toEqual([
      0,
      `Done: ${40 - made.length} created, 0 renewed, 0 adopted, 0 deleted.`,
    ]);
    expect(atGraph()).toHaveLength(40);
    expect(atGraph().map(({ id }) => id)).toEqual(expect.arrayContaining(made));
  });
});

describe('the command as a process', () => {
  it('ends by itself with the exit code that scripts go by', async () => {
    const { users, wantCalendars, environment, simulator, atGraph } = await subscriptionCommands();
    await wantCalendars(users);
    const { run: g2k } = await commandProcess(environment, simulator.caCertificate);
    expect(await g2k('plan', '--offline')).toMatchObject({ code: 2, err: '' });
    const applied = await g2k('apply', '--yes');
    expect(applied).toMatchObject({ code: 0, out: expect.stringContaining('Done: 3 created') });
    expect(atGraph()).toHaveLength(3);
    expect(await g2k('plan')).toMatchObject({ code: 0, out: '3 wanted: nothing to do.\n' });
    expect(await g2k('show')).toMatchObject({ code: 2, err: expect.stringMatching(/^g2k: show takes one/) });
  }, 60_000);
});
