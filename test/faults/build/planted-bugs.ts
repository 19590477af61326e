/**
 * Bugs that a system like this one gets easily, each as a patch of the product. They prove that the harness can fail:
 * one that it does not catch is a hole in the harness (README.md beside this folder says how each is caught).
 */
import type { Patch } from './patch.ts';

const WRITER = 'services/receiver/src/inbox-writer.ts';
const ROUTE = 'services/receiver/src/notification-route.ts';
const RUN = 'services/worker/src/inbox/owner-run.ts';
const PROGRESS = 'services/worker/src/inbox/run-progress.ts';
const WAKER = 'services/worker/src/inbox/waker.ts';
const FETCH = 'services/worker/src/graph/fetch-resource.ts';
const SCRIPTS = 'packages/shared/src/inbox-scripts.ts';
const JOBS = 'packages/shared/src/owner-queue.ts';

/** The waker's rounds; what it was asked to wake at a time goes on. */
const withoutWaker: Patch = { file: WAKER, find: '  start();\n  return {', replace: '  return {' };

const plantedBugPatches = {
  'ack-before-append': [
    {
      file: ROUTE,
      find: "  if (forged > 0) log.warn(line, 'notification.forged');\n",
      replace: '  response.status(202).end();\n',
    },
    {
      file: ROUTE,
      find: "    refuse(response, 'not-stored');",
      replace: '    if (!response.headersSent) response.status(503).end();',
    },
    {
      file: ROUTE,
      find: '  response.status(202).end();\n  log.info',
      replace: '  response.end();\n  log.info',
    },
  ],
  'job-without-entry': [
    {
      file: WRITER,
      find: 'owners.map((owner) => inbox.append(owner, byOwner.get(owner) ?? []));',
      replace: '[];',
    },
  ],
  'settle-without-token': [
    {
      file: SCRIPTS,
      find: "if redis.call('GET', KEYS[3]) ~= ARGV[1] then return { 'foreign' } end\n",
      replace: '',
    },
  ],
  'lease-never-expires': [
    {
      file: SCRIPTS,
      find: "redis.call('SET', KEYS[3], ARGV[1], 'PX', tonumber(ARGV[2]))",
      replace: "redis.call('SET', KEYS[3], ARGV[1])",
    },
    { file: SCRIPTS, find: "redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]))\n", replace: '' },
  ],
  /** As many entries from the front as the run has read notifications; an entry may stand for several of them. */
  'removal-by-count': [
    {
      file: SCRIPTS,
      find: '    for _, e in ipairs(pack.e) do if not done[int(e[1])] then left[#left + 1] = e end end',
      replace: [
        '    local count = 0',
        '    for _, e in ipairs(pack.e) do if done[int(e[1])] then count = count + e[7] end end',
        '    for j, e in ipairs(pack.e) do if j > count then left[#left + 1] = e end end',
      ].join('\n'),
    },
  ],
  'publish-before-token-check': [
    {
      file: PROGRESS,
      find: '    await this.lease.confirm();\n    try {\n      await publish();',
      replace: '    try {\n      await publish();\n      await this.lease.confirm();',
    },
  ],
  'simple-deduplication': [
    {
      file: JOBS,
      find: 'deduplication: { id: owner, keepLastIfActive: true },',
      replace: 'deduplication: { id: owner },',
    },
    withoutWaker,
  ],
  'settle-before-publish': [
    {
      file: PROGRESS,
      find: '      await publish();',
      replace: '      (globalThis.unpublished ??= []).push(publish);',
    },
    {
      file: RUN,
      find: "    if (settled.state === 'foreign') throw",
      replace:
        "    for (const publish of globalThis.unpublished?.splice(0) ?? []) await publish();\n    if (settled.state === 'foreign') throw",
    },
  ],
  /** A fetch joins an earlier one of the same resource for 5 s, as a collector with its cache on does. */
  'fetch-from-cache': [
    {
      file: FETCH,
      find: 'export function createFetchResource(client: GraphRequests): FetchResource {',
      replace: [
        'const cache = new Map();',
        'function cached(path, load) {',
        '  if (!cache.has(path)) {',
        '    cache.set(path, load());',
        '    setTimeout(() => cache.delete(path), 5000).unref();',
        '  }',
        '  return cache.get(path);',
        '}',
        '',
        'export function createFetchResource(client: GraphRequests): FetchResource {',
      ].join('\n'),
    },
    {
      file: FETCH,
      find: "await client.request({ method: 'GET', ...request });",
      replace: "await cached(request.path, () => client.request({ method: 'GET', ...request }));",
    },
  ],
  /** It takes a deduplication key as proof that its job will run. */
  'waker-ignores-job-state': [
    { file: WAKER, find: '    if (await isLive(queue, jobId)) return false;', replace: '    return false;' },
  ],
  /** What came after a failed try is worked at once and beside what waits, as if the two had nothing to do. */
  'waiting-entries-overtaken': [
    {
      file: SCRIPTS,
      find: "if not packed or change == 'deleted' then",
      replace: 'if true then',
    },
    {
      file: RUN,
      find: 'const FATAL_LONELY_STARTS = 2;',
      replace: [
        'const apart = (taken) => taken.waitingSince > 0 && taken.entries.length > 1',
        '  ? [{ ...taken, entries: taken.entries.slice(0, 1) }, { ...taken, entries: taken.entries.slice(1) }]',
        '  : [taken];',
        'const FATAL_LONELY_STARTS = 2;',
      ].join('\n'),
    },
    { file: RUN, find: 'run.work(begun.resources)', replace: 'run.work(begun.resources.flatMap(apart))' },
  ],
} satisfies Record<string, readonly Patch[]>;

export type PlantedBug = keyof typeof plantedBugPatches;

export const plantedBugs: Readonly<Record<PlantedBug, readonly Patch[]>> = plantedBugPatches;
export const PLANTED_BUGS = Object.keys(plantedBugPatches) as PlantedBug[];
