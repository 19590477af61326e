/**
 * What Microsoft's documentation shows Graph sending, put through the whole way: real values in place of the
 * placeholders, and the resources seeded. The samples stay where they are; GRAPH_SAMPLES names their folder.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { type Pipeline, type SeenEvent, startPipeline } from '../support/pipeline.ts';

const FOLDER = resolve(
  process.env.GRAPH_SAMPLES ?? join(import.meta.dirname, '../../../shared/graph-samples'),
);
const present = existsSync(FOLDER);
if (!present) process.stdout.write(`no Graph samples at ${FOLDER}: set GRAPH_SAMPLES to their folder\n`);

/** One of the samples names this tenant, the others have a placeholder. */
const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95';
const CLIENT_STATE = 'client-state-of-a-sample';
const USER = '622eaaff-0683-4862-9de4-f2ec83c2bd98';

/** Type and how it was had, or why it is a dead letter, or that nothing is published. */
type Outcome = readonly [type: string, acquisition: string] | { readonly deadLetter: RegExp } | 'nothing';

const POSTED: Readonly<Record<string, Outcome>> = {
  'notifications/message-created-basic.json': ['MessageCreated', 'fetched'],
  'notifications/outlook-message-basic-item.json': ['MessageCreated', 'fetched'],
  'notifications/teams-channel-basic-item.json': ['TeamCreated', 'fetched'],
  'notifications/teams-chatmessage-basic-item.json': ['ChatMessageCreated', 'fetched'],
  'notifications/teams-member-basic-item.json': ['ConversationMemberCreated', 'fetched'],
  // The encrypted parts of the rich ones are placeholders: what counts is the resource that they name.
  'rich/outlook-message-rich.json': ['MessageCreated', 'fetched'],
  'rich/teams-chatmessage-rich.json': ['ChatMessageCreated', 'fetched'],
  'lifecycle/missed.json': { deadLetter: /could not deliver/ },
  'lifecycle/subscription-removed.json': { deadLetter: /was removed/ },
  // The subscription is not ours, so there is nothing to renew.
  'lifecycle/reauthorization-required.json': 'nothing',
};

/** Answers of Graph for one event: what the record holds is what Graph holds. */
const ANSWERED = ['events/get-event-200.json', 'events/get-event-200-locations.json'];

/** Not sent to a receiver and not one resource: other tests read them, or parts that are yet to come. */
const ELSEWHERE =
  /^(batch|delta|eventgrid|subscriptions)\/|^events\/(event-type-skeleton|list-)|^rich\/validation-token/;

describe.skipIf(!present)("Graph's own samples", () => {
  it('are all accounted for', () => {
    const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.json'),
    );
    const known = new Set([...Object.keys(POSTED), ...ANSWERED]);
    expect(files.filter((file) => !known.has(file) && !ELSEWHERE.test(file))).toEqual([]);
    expect([...known].filter((file) => !files.includes(file))).toEqual([]);
  });

  describe('posted to the receiver', () => {
    let posted: Posted[] = [];

    it('are all acknowledged, and become what the table says', async () => {
      const pipeline = await startPipeline({
        simulator: { tenantId: TENANT },
        receiver: { CLIENT_STATES_ACCEPTED: CLIENT_STATE },
      });
      posted = [];
      for (const file of Object.keys(POSTED)) posted.push(await post(pipeline, file));
      await pipeline.drained();
      await eventually(() => {
        const outcomes = posted.map((one) => [one.file, outcomeOf(pipeline, one)]);
        expect(outcomes).toEqual(posted.map(({ file }) => [file, expectedOf(file)]));
      });
      expect(posted.map(({ status }) => status)).toEqual(posted.map(() => 202));
    });
  });

  describe('of an event', () => {
    it.each(ANSWERED)('%s is the data of its record', async (file) => {
      const { simulator, eventsOf } = await startPipeline();
      const { '@odata.context': _context, '@odata.etag': _etag, id, ...body } = readSample(file);
      const [user] = simulator.users();
      const path = `users/${user?.id}/events/${String(id)}`;
      simulator.seed(path, { id: String(id), ...body } as never);
      simulator.calendar.update(path, { subject: String(body.subject) });
      await eventually(() => expect(eventsOf(path)).toHaveLength(1));
      // Graph gives times in UTC unless asked otherwise; the samples were asked for in other zones.
      const { start, end, ...rest } = body;
      const data = eventsOf(path)[0]?.data;
      expect(data).toMatchObject({ id, ...rest });
      expect(data).toHaveProperty('start.timeZone', 'UTC');
      expect([data?.start, data?.end].map(dayOf)).toEqual([start, end].map(dayOf));
    });
  });
});

type Sample = Record<string, unknown>;

const dayOf = (time: unknown) => String((time as { dateTime?: unknown } | undefined)?.dateTime).slice(0, 10);
type Posted = { readonly file: string; readonly key: string; readonly status: number };

function readSample(file: string): Sample {
  return JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Sample;
}

/** Posts a sample as Graph would, after seeding what it tells of; bare items are wrapped. */
async function post({ simulator, services }: Pipeline, file: string): Promise<Posted> {
  const sample = readSample(file);
  const collection = 'value' in sample ? sample : { value: [sample] };
  const [item] = collection.value as Sample[];
  const real = withRealValues(item ?? {});
  const data = real.resourceData as Record<string, string> | undefined;
  const path = data?.['@odata.id'];
  if (path) seed(simulator, path.replace(`@${TENANT}`, ''), data?.id ?? 'none');
  const response = await fetch(`${services.receiver.url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...collection, value: [real] }),
  });
  const key = path === undefined ? `${TENANT}/lifecycle/${String(real.lifecycleEvent)}` : keyOf(path);
  return { file, key, status: response.status };
}

/** The resource and, where it is a mailbox's, the user; Graph answers 404 for items of nobody. */
function seed(simulator: Pipeline['simulator'], path: string, id: string): void {
  const user = /^users(?:\/|\(')([0-9a-f-]{36})/i.exec(path)?.[1];
  if (user)
    simulator.seed(`users/${user}`, {
      id: user,
      displayName: 'Sample',
      userPrincipalName: `${user}@example.com`,
    });
  simulator.seed(path, { id });
}

function withRealValues(item: Sample): Sample {
  const text = JSON.stringify(item)
    .replaceAll('{subscription_guid}', 'c6126aa3-0ed8-412f-a988-71e6cee627c4')
    .replaceAll('<subscription_guid>', '7f105c7d-2dc5-4530-97cd-4e7ae6534c07')
    .replaceAll('{user_guid}', USER)
    .replaceAll('{tenant_guid}', TENANT)
    .replaceAll('{long_id_string}', 'AAMkAGUwNjQ4ZjIxLTQ3Y2YtNDViMi05ZjJhLWJhNmMxYTNmOTk0Ng=');
  return { ...(JSON.parse(text) as Sample), tenantId: TENANT, clientState: CLIENT_STATE };
}

/** `Users('a')/Messages('b')` and `Users/a@{tenant}/Messages/b` → the key that records of it have. */
function keyOf(path: string): string {
  const words = path
    .replace(`@${TENANT}`, '')
    .replace(/\('([^']*)'\)/g, '/$1')
    .split('/');
  return [TENANT, ...words.map((word, i) => (i % 2 === 0 ? word.toLowerCase() : word))].join('/');
}

function expectedOf(file: string): unknown {
  const outcome = POSTED[file] as Outcome;
  if (outcome === 'nothing') return 'nothing';
  if ('deadLetter' in outcome) return { deadLetter: expect.stringMatching(outcome.deadLetter) };
  return [`Microsoft.Graph.${outcome[0]}`, outcome[1]];
}

function outcomeOf({ events, deadLetters }: Pipeline, { key }: Posted): unknown {
  const of = (seen: readonly SeenEvent[]) => seen.findLast(({ record }) => record.key === key);
  const record = of(events());
  if (record) return [record.type, record.acquisition];
  const letter = of(deadLetters());
  return letter ? { deadLetter: letter.data.reason } : 'nothing';
}
