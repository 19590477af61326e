/** Builds of the receiver that leave a step out, to learn what that step costs. Never for use; pure. */

export type Patch = {
  /** Path from the repository's root. */
  readonly file: string;
  /** Must occur in the file exactly once. */
  readonly find: string;
  readonly replace: string;
};

export const BUILDS = {
  'inbox-only': [
    {
      file: 'services/receiver/src/inbox-writer.ts',
      find: `const jobs = queue.addBulk(
      owners.map((owner) => ({ name: OWNER_JOB, data: { owner }, opts: ownerJobOptions(owner) })),
    );`,
      replace: 'const jobs = Promise.resolve();',
    },
  ],
  'ack-first': [
    {
      file: 'services/receiver/src/notification-route.ts',
      find: 'await withinDeadline(store(traced(entries, traceparent), validationTokens));',
      replace: 'store(entries).catch(() => undefined);',
    },
  ],
  'no-client-state-check': [
    {
      file: 'packages/shared/src/client-state.ts',
      find: 'if (anyEqual(clientState, accepted)) return { verified: true };',
      replace: "return { verified: true, nonce: clientState.split('.')[1] ?? '' };",
    },
  ],
  'no-body-check': [
    {
      file: 'services/receiver/src/read-collection.ts',
      find: 'const scan = scanBody(body);',
      replace: 'const scan: Scan = { colons: 0 };',
    },
    {
      file: 'services/receiver/src/read-collection.ts',
      find: 'if (countProperties(json) !== scan.colons) ',
      replace: 'if (scan.excess !== undefined) ',
    },
  ],
  'no-protective-headers': [
    {
      file: 'services/receiver/src/app.ts',
      find: 'app.use(helmet());',
      replace: '',
    },
  ],
} as const satisfies Readonly<Record<string, readonly Patch[]>>;

export type BuildName = keyof typeof BUILDS;

/** @throws when the place is not there, or not the only one: a build that changed nothing would measure nothing. */
export function applyPatch(source: string, { file, find, replace }: Patch): string {
  const occurrences = source.split(find).length - 1;
  if (occurrences !== 1) throw new Error(`${file} holds ${occurrences} times, not once: ${find}`);
  return source.replace(find, () => replace);
}
