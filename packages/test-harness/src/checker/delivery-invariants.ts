// Holds the records of a run against its change log: is every acknowledged notification covered, does no record go
// back in time, is the last word the newest. Linear in time; memory grows with resources, changes and record ids.
//
// A record covers a version of its resource when it shows that version or a later one, reports a deletion at or after
// it, or carries a notification of it. A dead letter that names the resource covers all of it.
import type { TopicRecord } from '../topic-reader.ts';
import { canonicalPath, lowerCaseGuid } from './canonical-path.ts';
import type { ChangeLine, ChangeLogLine, DeliveryLine } from './change-log-line.ts';
import { namesInDeadLetter, type PublishedRecord, readPublishedRecord } from './published-record.ts';
import { type Lane, ResourceHistory, type VersionRange } from './resource-history.ts';
import { type Counts, latencyOf, ProblemList, type Verdict } from './verdict.ts';

export interface CheckOptions {
  /** How many of each kind of problem are told in words. Default 20. */
  readonly examplesPerProblem?: number;
  /** Whether a change that nobody was notified of may be missing: on when notifications are dropped on purpose. */
  readonly acknowledgedOnly?: boolean;
}

/** A record, with its topic where several are judged together. Each partition's records are in their order. */
export type JudgedRecord = TopicRecord & { readonly topic?: string };

/**
 * Judges a whole run at once.
 * @throws when the log holds versions of a resource that do not rise
 */
export function check(
  changeLogLines: Iterable<ChangeLogLine>,
  records: Iterable<JudgedRecord>,
  deadLetters: Iterable<TopicRecord> = [],
  options: CheckOptions = {},
): Verdict {
  const checker = new DeliveryChecker(options);
  for (const line of changeLogLines) checker.addLine(line);
  for (const record of records) checker.addRecord(record, record.topic);
  for (const letter of deadLetters) checker.addDeadLetter(letter);
  return checker.verdict();
}

/** As `check`, fed piece by piece: all lines of the log first, then records and dead letters. */
export class DeliveryChecker {
  readonly #problems: ProblemList;
  readonly #acknowledgedOnly: boolean;
  readonly #histories = new Map<string, ResourceHistory>();
  readonly #historyByLogName = new Map<string, Map<string, ResourceHistory>>();
  readonly #deadLettered = new Set<string>();
  readonly #identities = new Set<string>();
  readonly #counts = {
    changes: 0,
    subscribedChanges: 0,
    acknowledged: 0,
    records: 0,
    deadLetters: 0,
    duplicates: 0,
    states: 0,
    deletions: 0,
    notificationsOnly: 0,
  };

  constructor({ examplesPerProblem = 20, acknowledgedOnly = false }: CheckOptions = {}) {
    this.#problems = new ProblemList(examplesPerProblem);
    this.#acknowledgedOnly = acknowledgedOnly;
  }

  addLine(line: ChangeLogLine): void {
    if (line.kind === 'change') this.#addChange(line);
    else if (line.kind === 'delivery') this.#addDelivery(line);
  }

  addRecord(record: TopicRecord, topic = ''): void {
    this.#counts.records++;
    const where = () => `${topic ? `${topic} ` : ''}partition ${record.partition} offset ${record.offset}`;
    const published = readPublishedRecord(record);
    if (!published) {
      this.#problems.add(
        'unreadable',
        () => `${where()}: ${(record.value ?? 'neither key nor value').slice(0, 200)}`,
      );
      return;
    }
    this.#countDuplicate(published);
    if (!published.isKeyedByResource) {
      this.#problems.add(
        'misaddressed',
        () => `${where()}: key ${record.key}, but it is about ${published.resourceKey}`,
      );
    }
    const history = this.#histories.get(published.resourceKey);
    if (!history) {
      this.#problems.add('forgeries', () => `${where()}: ${published.resourceKey}`);
      return;
    }
    this.#judge(published, record, history, history.lane(topic, record.partition));
  }

  addDeadLetter(record: TopicRecord): void {
    this.#counts.deadLetters++;
    for (const name of namesInDeadLetter(record)) this.#deadLettered.add(name);
  }

  verdict(): Verdict {
    for (const history of this.#histories.values()) {
      this.#judgeLanes(history);
      if (this.#isDeadLettered(history)) continue;
      this.#judgeCoverage(history);
      this.#judgeLastWord(history);
    }
    const problems = this.#problems.all();
    const counts: Counts = { resources: this.#histories.size, ...this.#counts };
    const { subscribedChanges, records } = counts;
    return {
      ok: Object.values(problems).every(({ count }) => count === 0),
      counts,
      recordsPerChange: subscribedChanges > 0 ? records / subscribedChanges : undefined,
      problems,
      endToEndMs: latencyOf(this.#durations()),
    };
  }

  #addChange(line: ChangeLine): void {
    this.#counts.changes++;
    if (line.subscribed) this.#counts.subscribedChanges++;
    this.#historyOf(line).addChange({ ...line, deleted: line.changeType === 'deleted' });
  }

  #addDelivery(line: DeliveryLine): void {
    const { status } = line;
    if (status === null || status < 200 || status > 299) return;
    this.#counts.acknowledged++;
    this.#historyOf(line).addAcknowledged(line.version);
  }

  /** Looked up by the log's own spelling first: bringing it into canonical form for each line would cost the most. */
  #historyOf({
    tenantId,
    resource,
  }: {
    readonly tenantId: string;
    readonly resource: string;
  }): ResourceHistory {
    let ofTenant = this.#historyByLogName.get(tenantId);
    if (!ofTenant) {
      ofTenant = new Map();
      this.#historyByLogName.set(tenantId, ofTenant);
    }
    let history = ofTenant.get(resource);
    if (!history) {
      history = this.#historyByKey(lowerCaseGuid(tenantId), canonicalPath(resource));
      ofTenant.set(resource, history);
    }
    return history;
  }

  #historyByKey(tenantId: string, path: string): ResourceHistory {
    const key = `${tenantId}/${path}`;
    const known = this.#histories.get(key);
    if (known) return known;
    const history = new ResourceHistory(key, path);
    this.#histories.set(key, history);
    return history;
  }

  #countDuplicate({ identity }: PublishedRecord): void {
    if (identity === undefined) return;
    if (this.#identities.has(identity)) this.#counts.duplicates++;
    this.#identities.add(identity);
  }

  #judge({ shows }: PublishedRecord, record: TopicRecord, history: ResourceHistory, lane: Lane): void {
    lane.lastOffset = record.offset;
    switch (shows.what) {
      case 'state':
        this.#counts.states++;
        this.#judgeState(shows.etag, record, history, lane);
        break;
      case 'deleted':
        this.#counts.deletions++;
        this.#judgeDeletion(record, history, lane);
        break;
      case 'notification':
        this.#counts.notificationsOnly++;
        this.#judgeNotification(shows.etag, record, history, lane);
        break;
      default:
        shows satisfies never;
    }
  }

  #judgeState(etag: string | undefined, record: TopicRecord, history: ResourceHistory, lane: Lane): void {
    const version = this.#knownVersion(etag, record, history);
    if (version !== undefined) this.#show({ atLeast: version, atMost: version }, record, history, lane);
  }

  #judgeDeletion(record: TopicRecord, history: ResourceHistory, lane: Lane): void {
    if (!history.wasDeleted) {
      this.#problems.add('falseDeletions', () => `${history.key}: offset ${record.offset}`);
      return;
    }
    const last = { atLeast: history.lastDeletion, atMost: history.lastDeletion };
    const range = history.deletionsAfter(lane.newestShown, record.timestampMs) ?? last;
    this.#show(range, record, history, lane);
  }

  // It shows no state, so it can neither go back nor be the last word.
  #judgeNotification(
    etag: string | undefined,
    record: TopicRecord,
    history: ResourceHistory,
    lane: Lane,
  ): void {
    const version = this.#knownVersion(etag, record, history);
    if (version === undefined) return;
    history.notifiedUpTo = Math.max(history.notifiedUpTo, version);
    history.cover(lane, version, record.timestampMs);
  }

  #knownVersion(etag: string | undefined, record: TopicRecord, history: ResourceHistory): number | undefined {
    const version = etag === undefined ? undefined : history.versionOf(etag);
    if (version === undefined) {
      const shown = etag === undefined ? 'no version' : `etag ${etag}`;
      this.#problems.add('unknownVersions', () => `${history.key}: offset ${record.offset} shows ${shown}`);
    }
    return version;
  }

  #show(range: VersionRange, record: TopicRecord, history: ResourceHistory, lane: Lane): void {
    const { newestShown } = lane;
    if (range.atMost < newestShown) {
      this.#problems.add(
        'wentBack',
        () =>
          `${history.key}: offset ${record.offset} shows version ${range.atMost} after version ${newestShown}`,
      );
    }
    lane.newestShown = Math.max(newestShown, range.atLeast);
    lane.lastShown = range;
    history.cover(lane, range.atMost, record.timestampMs);
  }

  #isDeadLettered({ key, resource }: ResourceHistory): boolean {
    return this.#deadLettered.has(key) || this.#deadLettered.has(resource);
  }

  #judgeCoverage(history: ResourceHistory): void {
    const { key, coveredUpTo } = history;
    const told =
      coveredUpTo === 0 ? 'no record tells of it' : `records tell of it up to version ${coveredUpTo}`;
    for (const version of history.acknowledgedVersions) {
      if (version <= coveredUpTo) continue;
      this.#problems.add('lostNotifications', () => `${key}: version ${version} was acknowledged, ${told}`);
    }
    if (this.#acknowledgedOnly) return;
    for (const version of history.subscribedVersions) {
      if (version <= coveredUpTo) continue;
      const was = history.acknowledgedVersions.includes(version) ? 'was' : 'was never';
      this.#problems.add('lostChanges', () => `${key}: version ${version} ${was} acknowledged, ${told}`);
    }
  }

  #judgeLanes(history: ResourceHistory): void {
    const partitionOf = new Map<string, number>();
    for (const { topic, partition, newestShown, lastShown, lastOffset } of history.lanes) {
      const other = partitionOf.get(topic) ?? partition;
      partitionOf.set(topic, partition);
      if (other !== partition) {
        this.#problems.add('splitKeys', () => `${history.key}: partitions ${other} and ${partition}`);
      }
      if (lastShown.atMost < newestShown) {
        this.#problems.add(
          'staleLastWord',
          () =>
            `${history.key}: the last record (offset ${lastOffset}) shows version ${lastShown.atMost}, ` +
            `an earlier one version ${newestShown}`,
        );
      }
    }
  }

  #judgeLastWord(history: ResourceHistory): void {
    const { key, lanes, lastVersion, notifiedUpTo } = history;
    if (!history.acknowledgedVersions.includes(lastVersion)) return;
    const lastWord = lanes.reduce(
      (latest, { lastShown }) => Math.max(latest, lastShown.atMost),
      notifiedUpTo,
    );
    const newestShown = lanes.reduce((newest, lane) => Math.max(newest, lane.newestShown), notifiedUpTo);
    // Where the newest was shown and then something older, the lane has been reported already.
    if (lastWord >= lastVersion || newestShown >= lastVersion) return;
    this.#problems.add(
      'staleLastWord',
      () => `${key}: the last word is version ${lastWord}, the log ends with version ${lastVersion}`,
    );
  }

  #durations(): Float64Array {
    const durations: number[] = [];
    for (const history of this.#histories.values()) {
      for (const duration of history.endToEndMs()) durations.push(duration);
    }
    return Float64Array.from(durations);
  }
}
