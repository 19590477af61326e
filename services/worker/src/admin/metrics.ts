/** What the worker counts, in Prometheus' form. The backlog is read from Redis: any worker answers for all of them. */
import type { Inbox } from '@graph2kafka/shared';
import type { Queue } from 'bullmq';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { RequestForm } from '../graph/graph-client.ts';
import type { RunReport } from '../inbox/owner-run.ts';
import type { Pause } from '../limits/pause.ts';
import type { FleetNumbers } from '../subscriptions/fleet-numbers.ts';
import { LIFECYCLE_EVENTS, type LifecycleEvent } from '../subscriptions/lifecycle-processor.ts';
import type { ReconcileReport } from '../subscriptions/reconcile.ts';
import { TROUBLE_REASONS } from '../subscriptions/troubles.ts';
import { within } from './within.ts';

export type Metrics = {
  readonly registry: Registry;
  countRun(report: RunReport): void;
  countReconciliation(report: ReconcileReport): void;
  countLifecycle(event: LifecycleEvent): void;
  countGraphRequest(form: RequestForm): void;
};

/**
 * A scrape is answered also while Redis is away; what it would have told is then left out. A gauge without labels is
 * removed for it: one that is reset says 0.
 */
function unlessAway<T>(asked: Promise<T>): Promise<T | undefined> {
  return within(1000, asked).catch(() => undefined);
}

export function createMetrics(
  inbox: Inbox,
  owners: Queue,
  deadLetters: Queue,
  readPauses: () => Promise<readonly Pause[]>,
  readFleet: () => Promise<FleetNumbers>,
): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const runs = new Counter({
    name: 'g2k_runs_total',
    help: 'Runs of owners, by what came next',
    labelNames: ['next'],
    registers,
  });
  const notifications = counter('g2k_notifications_covered_total', 'Notifications that a record stands for');
  const records = counter(
    'g2k_records_published_total',
    'Records that Kafka has confirmed, dead letters included',
  );
  const fetches = counter('g2k_graph_fetches_total', 'Resources asked of Graph');
  const requests = new Counter({
    name: 'g2k_graph_requests_total',
    help: 'Requests sent to Graph: for one thing, or for several fetches at once',
    labelNames: ['form'],
    registers,
  });
  const waits = counter('g2k_resources_waiting_total', 'Tries that ended in waiting');
  const giveUps = counter(
    'g2k_resources_given_up_total',
    'Resources whose record is the notification or a dead letter',
  );
  const lifecycle = new Counter({
    name: 'g2k_lifecycle_notifications_total',
    help: 'What Graph has said of subscriptions, by kind; repeated ones that are worked together are one',
    labelNames: ['event'],
    registers,
  });
  for (const event of LIFECYCLE_EVENTS) lifecycle.inc({ event }, 0);
  new Gauge({
    name: 'g2k_subscriptions_failing',
    help: 'Wanted subscriptions that could not be served, or not as they should be, by reason',
    labelNames: ['reason'],
    registers,
    async collect() {
      const numbers = await unlessAway(readFleet());
      this.reset();
      if (!numbers) return;
      for (const reason of TROUBLE_REASONS) this.set({ reason }, numbers.troubles[reason] ?? 0);
    },
  });
  new Gauge({
    name: 'g2k_subscriptions_by_secret',
    help: 'Subscriptions by the clientState secret that they carry: the first one, or an older one; replaced ones with an older one',
    labelNames: ['secret'],
    registers,
    async collect() {
      const numbers = await unlessAway(readFleet());
      this.reset();
      if (!numbers) return;
      for (const secret of ['current', 'old', 'replaced'] as const)
        this.set({ secret }, numbers.bySecret[secret]);
    },
  });
  const certificateEnds = new Gauge({
    name: 'g2k_encryption_certificate_expiry_seconds',
    help: 'When the certificate of a held key ends, in seconds since 1970',
    labelNames: ['certificate'],
    registers,
  });
  const certificateUses = new Gauge({
    name: 'g2k_subscriptions_by_certificate',
    help: 'Subscriptions whose notifications may need the key of this certificate',
    labelNames: ['certificate'],
    registers,
  });
  new Gauge({
    name: 'g2k_owners_with_news',
    help: 'Owners whose inbox is not empty',
    registers,
    async collect() {
      const owners = await unlessAway(inbox.countOwners());
      if (owners === undefined) this.remove();
      else this.set(owners);
    },
  });
  new Gauge({
    name: 'g2k_owners_ready',
    help: 'Owners whose news waits for a worker or is being worked; without those that wait for a time. Scale workers on it',
    registers,
    async collect() {
      const counts = await unlessAway(owners.getJobCounts('waiting', 'prioritized', 'active'));
      if (counts === undefined) this.remove();
      else this.set(Object.values(counts).reduce((sum, count) => sum + count, 0));
    },
  });
  new Gauge({
    name: 'g2k_oldest_news_seconds',
    help: 'Seconds since the oldest notification was received that is not settled yet, as of the last run of its owner; 0 without one, absent where it is not known',
    registers,
    async collect() {
      const found = await unlessAway(inbox.oldestReceivedAt().then((at) => ({ at })));
      if (found === undefined || found.at === 'unknown') this.remove();
      else this.set(found.at === undefined ? 0 : Math.max(0, (Date.now() - found.at) / 1000));
    },
  });
  new Gauge({
    name: 'g2k_tenant_paused',
    help: 'Tenants, or kinds of resource of one, that Graph is not asked for now, by reason',
    labelNames: ['tenant', 'resources', 'reason'],
    registers,
    async collect() {
      const pauses = await unlessAway(readPauses());
      this.reset();
      for (const { tenantId: tenant, resources, reason } of pauses ?? [])
        this.set({ tenant, resources, reason }, 1);
    },
  });
  new Gauge({
    name: 'g2k_jobs',
    help: 'Jobs, by queue and state',
    labelNames: ['queue', 'state'],
    registers,
    async collect() {
      this.reset();
      for (const queue of [owners, deadLetters]) {
        const counts = await unlessAway(queue.getJobCounts('waiting', 'active', 'delayed', 'failed'));
        for (const [state, count] of Object.entries(counts ?? {}))
          this.set({ queue: queue.name, state }, count);
      }
    },
  });
  return {
    registry,
    countRun(report) {
      runs.inc({ next: report.next.step });
      notifications.inc(report.notifications);
      records.inc(report.records);
      fetches.inc(report.fetches);
      waits.inc(report.waiting);
      giveUps.inc(report.givenUp);
    },
    countGraphRequest: (form) => requests.inc({ form }),
    countLifecycle: (event) => lifecycle.inc({ event }),
    countReconciliation({ certificates }) {
      certificateEnds.reset();
      certificateUses.reset();
      for (const { id: certificate, expiresAt, subscriptions } of certificates) {
        certificateEnds.set({ certificate }, Math.floor(expiresAt / 1000));
        certificateUses.set({ certificate }, subscriptions);
      }
    },
  };
}
