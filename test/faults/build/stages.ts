/**
 * The places where a process can be stopped or killed with the worst effect: between two steps that belong together.
 * The product has no such hooks; a test build calls `reachStage` there.
 */
import type { Patch } from './patch.ts';

const WRITER = 'services/receiver/src/inbox-writer.ts';
const ROUTE = 'services/receiver/src/notification-route.ts';
const RUN = 'services/worker/src/inbox/owner-run.ts';
const CHANGES = 'services/worker/src/inbox/change-work.ts';
const PROGRESS = 'services/worker/src/inbox/run-progress.ts';

export const RECEIVER_STAGES = ['before-job-add', 'after-append', 'before-202'] as const;
export const WORKER_STAGES = [
  'after-begin',
  'after-fetch',
  'before-publish',
  'after-publish',
  'before-settle',
  'after-settle',
] as const;

export type Stage = (typeof RECEIVER_STAGES)[number] | (typeof WORKER_STAGES)[number];

const ADD_JOBS = '    const jobs = queue.addBulk(';
const ACKNOWLEDGE = '  response.status(202).end();';
const BEGUN = '  const lease = keepLease(inbox, owner, token, leaseMs);';
const FETCHED = '    const state = await tenant.fetchResource(path, item.view);\n';
const CONFIRMED = '    await this.lease.confirm();\n';
const PUBLISHED = '    this.tally.records++;\n';
const SETTLE = '    const settled = await inbox.settle(owner, token, settlements);\n';

export const stageHooks: readonly Patch[] = [
  {
    file: WRITER,
    find: ADD_JOBS,
    // The entries are on their way and not confirmed; then they are; of their jobs Redis knows nothing either time.
    replace: [
      "    await globalThis.reachStage('before-job-add', owners[0]);",
      '    await Promise.allSettled(appended);',
      "    await globalThis.reachStage('after-append', owners[0]);",
      ADD_JOBS,
    ].join('\n'),
  },
  {
    file: ROUTE,
    find: ACKNOWLEDGE,
    replace: `  await globalThis.reachStage('before-202', entries[0]?.owner);\n${ACKNOWLEDGE}`,
  },
  { file: RUN, find: BEGUN, replace: `  await globalThis.reachStage('after-begin', owner);\n${BEGUN}` },
  {
    file: CHANGES,
    find: FETCHED,
    replace: `${FETCHED}    await globalThis.reachStage('after-fetch', taken.resource);\n`,
  },
  {
    file: PROGRESS,
    find: CONFIRMED,
    replace: `${CONFIRMED}    await globalThis.reachStage('before-publish');\n`,
  },
  {
    file: PROGRESS,
    find: PUBLISHED,
    replace: `    await globalThis.reachStage('after-publish');\n${PUBLISHED}`,
  },
  {
    file: RUN,
    find: SETTLE,
    replace: [
      "    await globalThis.reachStage('before-settle', owner);",
      SETTLE.trimEnd(),
      "    await globalThis.reachStage('after-settle', owner);\n",
    ].join('\n'),
  },
];
