/**
 * For each planted bug the shortest run in which it cannot hide: the product as it is passes the same run. Conditions
 * are waited for, not times, so that a busy machine changes nothing.
 */
import { eventually } from '@graph2kafka/test-harness';
import type { PlantedBug } from './build/planted-bugs.ts';
import type { StageFault } from './build/stage-faults.ts';
import type { Judgement, Violation } from './judgement.ts';
import { requestRedis } from './redis-request.ts';
import { Scenario } from './scenario.ts';

export type BugScenario = {
  /** What of the judgement gives the bug away. */
  readonly caughtBy: Violation;
  /** Why it does, for the person who reads a report. */
  readonly because: string;
  readonly plan?: readonly StageFault[];
  readonly workerSettings?: Readonly<Record<string, string>>;
  readonly act: (scenario: Scenario) => Promise<void>;
};

/** How long a stuck owner is given to prove us wrong: several rounds of the waker, many times the lease. */
const PATIENCE_MS = 12_000;
/** Steps of the scenarios on two busy cores. */
const STEP_MS = 20_000;

/** Runs the scenario with the bug planted, or, without one, with the product as it is. */
export async function runBugScenario(
  { plan = [], workerSettings = {}, act }: BugScenario,
  bug: PlantedBug | undefined,
  brokers: string | undefined,
): Promise<Judgement> {
  const build = { ...(bug && { bug }), plan };
  const scenario = await Scenario.start({
    users: 1,
    workers: 1,
    stopMs: 'until continued',
    receiver: bug ? { bug } : {},
    worker: () => build,
    workerSettings,
    ...(brokers === undefined ? {} : { brokers }),
  });
  try {
    await act(scenario);
    return await scenario.judge(PATIENCE_MS);
  } finally {
    await scenario.close();
  }
}

export const bugScenarios: Readonly<Record<PlantedBug, BugScenario>> = {
  'ack-before-append': {
    caughtBy: 'lost',
    because: 'Redis is away while notifications come: they are acknowledged and nowhere',
    async act({ simulator, servers }) {
      await servers.redis.kill9();
      create(simulator);
      await attempted(simulator);
      await servers.redis.restart();
    },
  },
  'job-without-entry': {
    caughtBy: 'lost',
    because: 'the run that the job starts finds an empty inbox',
    async act({ simulator }) {
      create(simulator);
    },
  },
  'settle-without-token': {
    caughtBy: 'lost',
    because:
      'a run that stood still before settling removes, by numbers that were given anew, what came since, unread',
    plan: [{ stage: 'before-settle', action: 'stop', nth: 1 }],
    async act(scenario) {
      const { simulator, workers } = scenario;
      const event = create(simulator);
      await struck(scenario);
      await scenario.addWorker();
      await scenario.quiet();
      // The heir's fetch takes so long that the revived run settles meanwhile.
      const slow = simulator.faults.add({ method: 'GET', path: event, delayMs: 3000 });
      simulator.calendar.update(event, { subject: 'While it stood still' });
      await eventually(() => slow.hits === 1, { timeoutMs: STEP_MS });
      workers[0]?.continueStopped();
      await simulator.notifier.idle();
    },
  },
  'lease-never-expires': {
    caughtBy: 'stuck',
    because: 'a killed run holds its owner for ever',
    plan: [{ stage: 'after-fetch', action: 'kill', nth: 1 }],
    async act(scenario) {
      create(scenario.simulator);
      await struck(scenario);
    },
  },
  'removal-by-count': {
    caughtBy: 'lost',
    because: 'a burst of three lies in one entry: three entries are removed, one of them never read',
    plan: [{ stage: 'after-fetch', action: 'wait', nth: 1, waitMs: 2500 }],
    async act(scenario) {
      const { simulator } = scenario;
      const event = create(simulator);
      simulator.calendar.update(event, { subject: 'In the same burst' });
      simulator.calendar.update(event, { subject: 'The last of the burst' });
      await struck(scenario);
      simulator.calendar.update(event, { subject: 'During the run' });
    },
  },
  'publish-before-token-check': {
    caughtBy: 'wentBack',
    because: 'a run that stood still with an old state in its hands publishes it after the newer one',
    plan: [{ stage: 'after-fetch', action: 'stop', nth: 1 }],
    async act(scenario) {
      const { simulator, workers } = scenario;
      const event = create(simulator);
      await struck(scenario);
      simulator.calendar.update(event, { subject: 'While it stood still' });
      const heir = await scenario.addWorker();
      await simulator.notifier.idle();
      await scenario.quiet();
      workers[0]?.continueStopped();
      // That the revived worker does new work shows that it is over with the old one.
      await heir.close();
      const proof = create(simulator);
      await published(scenario, proof);
    },
  },
  'simple-deduplication': {
    caughtBy: 'stuck',
    because:
      'the job of what comes between a settled run and the end of its job is dropped, and nobody looks',
    plan: [{ stage: 'after-settle', action: 'wait', nth: 1, waitMs: 2000 }],
    async act(scenario) {
      const { simulator } = scenario;
      const event = create(simulator);
      await struck(scenario);
      simulator.calendar.update(event, { subject: 'After the run has settled' });
    },
  },
  'settle-before-publish': {
    caughtBy: 'lost',
    because: 'killed between the two, the run has removed what it never published',
    plan: [{ stage: 'after-settle', action: 'kill', nth: 1 }],
    async act(scenario) {
      create(scenario.simulator);
      await struck(scenario);
    },
  },
  'fetch-from-cache': {
    caughtBy: 'lost',
    because: 'the second notification is answered with the state that the first one fetched',
    async act(scenario) {
      const { simulator } = scenario;
      const event = create(simulator);
      await published(scenario, event);
      simulator.calendar.update(event, { subject: 'Right after the record' });
    },
  },
  'waker-ignores-job-state': {
    caughtBy: 'stuck',
    because: 'the job is gone and its deduplication key is left: nobody adds another',
    async act(scenario) {
      const { simulator, workers } = scenario;
      const thaw = await workers[0]?.freeze();
      create(simulator);
      await simulator.notifier.idle();
      await loseWaitingJobs(scenario);
      thaw?.();
    },
  },
  'waiting-entries-overtaken': {
    caughtBy: 'wentBack',
    because: 'two fetches of one event run side by side, and the one that read first publishes last',
    plan: [{ stage: 'after-fetch', action: 'wait', nth: 1, waitMs: 3000 }],
    // The two would share a batch, and be read at one time.
    workerSettings: { GRAPH_BATCHING: 'false' },
    async act(scenario) {
      const { simulator } = scenario;
      const event = create(simulator, (path) => {
        let reads = 0;
        simulator.faults.add({ method: 'GET', path, status: 503 });
        // The second of the two that follow is read late enough to see what happens during the first.
        simulator.faults.add({ method: 'GET', path, delayMs: 1500, match: () => ++reads === 2 });
      });
      await logged(scenario, 'resource.not-fetched');
      await leaseGone(scenario);
      simulator.calendar.update(event, { subject: 'While the first try waits' });
      await struck(scenario);
      simulator.calendar.update(event, { subject: 'Between the two fetches' });
    },
  },
};

type Simulator = Scenario['simulator'];

/** An event in the only user's calendar; `prepare` comes before anybody can ask for it. */
function create(simulator: Simulator, prepare: (path: string) => void = () => undefined): string {
  const { key } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'First' }).path;
  prepare(key);
  return key;
}

/** The first fault of the plan has struck. */
async function struck({ observations }: Scenario): Promise<void> {
  await eventually(() => observations.strikes.length > 0, { timeoutMs: STEP_MS });
}

/** Graph has posted at least once, with whatever answer. */
async function attempted({ changeLog }: Simulator): Promise<void> {
  await eventually(() => changeLog.ofKind('delivery').length > 0, { timeoutMs: STEP_MS });
}

async function published(scenario: Scenario, event: string): Promise<void> {
  const key = `${scenario.simulator.tenantId}/${event}`;
  await logged(scenario, 'record.published', (fields) => fields.key === key);
}

async function logged(
  { observations }: Scenario,
  name: string,
  fits: (fields: Readonly<Record<string, unknown>>) => boolean = () => true,
): Promise<void> {
  await eventually(() => observations.logged.some((line) => line.name === name && fits(line.fields)), {
    timeoutMs: STEP_MS,
  });
}

/** No run holds the only owner. */
async function leaseGone({ servers, stack, simulator }: Scenario): Promise<void> {
  const owner = `${simulator.tenantId}/users/${simulator.users()[0]?.id}`;
  await eventually(
    async () =>
      (await requestRedis(servers.redis.port, 'EXISTS', `{${stack.redisPrefix}-0}:lease:${owner}`)) === 0,
  );
}

/** As a failover to a replica that lags can do it: jobs are gone, what points at them is not. */
async function loseWaitingJobs({ servers, stack }: Scenario): Promise<void> {
  const { port } = servers.redis;
  const queue = `{${stack.redisPrefix}-0}:owners`;
  const ids = (await requestRedis(port, 'LRANGE', `${queue}:wait`, '0', '-1')) as string[];
  if (ids.length === 0) throw new Error('no job waits');
  for (const id of ids) await requestRedis(port, 'DEL', `${queue}:${id}`);
  await requestRedis(port, 'DEL', `${queue}:wait`);
}
