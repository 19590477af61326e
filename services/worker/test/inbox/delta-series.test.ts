/** Series of events: notified, listed and read as one event, and shown as many by the view of a calendar. */
import { expect, it } from 'vitest';
import { graphCalls } from '../support/simulated-graph.ts';
import { watchingBench } from '../support/watching-bench.ts';

it('a series is looked up as one event where a calendar view shows its occurrences', async () => {
  const bench = await watchingBench((user) => `users/${user}/events`);
  const { simulator, user, missed, settleAll, events } = bench;
  const master = simulator.calendar.create(user, { subject: 'Every week', type: 'seriesMaster' });
  await missed();
  await settleAll();
  const before = (await events()).length;
  simulator.calendar.update(master.path.key, { subject: 'Every month' });
  const seriesMasterId = master.path.segments.at(-1)?.id;
  const shown = ['one', 'two', 'three'].map((id) => ({
    id,
    type: 'occurrence',
    seriesMasterId,
    subject: id,
  }));
  const deltaLink = `${simulator.url}/v1.0/users/${user}/calendarView/delta?$deltatoken=next`;
  simulator.faults.add({
    method: 'GET',
    path: /calendarView\/delta$/,
    status: 200,
    body: { value: shown, '@odata.deltaLink': deltaLink },
  });
  await missed();
  await settleAll();
  expect((await events()).slice(before)).toMatchObject([
    {
      record: { key: `${simulator.tenantId}/${master.path.key}` },
      acquisition: 'delta',
      data: { subject: 'Every month' },
    },
  ]);
  expect(graphCalls(simulator).filter((call) => /\/events\/[^/]+$/.test(call))).toHaveLength(1);
});
