// One resource in the course of a run: its changes as the log tells them, and how far the records have told of them.

/** The records of one resource in one partition of one topic, in their order. */
export interface Lane {
  readonly topic: string;
  readonly partition: number;
  /** The newest version shown so far; 0 before the first record that shows one. */
  newestShown: number;
  /** What the latest record shows. */
  lastShown: VersionRange;
  lastOffset: number;
  /** Subscribed changes before this index are covered by this lane. */
  coveredChanges: number;
}

/** The versions that a record may stand for. They differ where a deletion is reported, which carries no version. */
export interface VersionRange {
  readonly atLeast: number;
  readonly atMost: number;
}

interface Deletion {
  readonly version: number;
  readonly at: number;
}

// The log's clock counts fractions of a millisecond, Kafka's does not.
const CLOCK_STEP_MS = 1;

export class ResourceHistory {
  readonly key: string;
  /** The path without the tenant. */
  readonly resource: string;
  readonly lanes: Lane[] = [];
  lastVersion = 0;
  /** The greatest version of which a record has told, in whatever way. */
  coveredUpTo = 0;
  /** The greatest version of which a record tells by the notification alone. */
  notifiedUpTo = 0;
  readonly #versionOfEtag = new EtagIndex();
  readonly #deletions: Deletion[] = [];
  // Three columns rather than objects: there may be millions of changes and deliveries.
  readonly #subscribedVersions: number[] = [];
  readonly #subscribedAt: number[] = [];
  readonly #firstCoveredAt: number[] = [];
  readonly #acknowledgedVersions: number[] = [];

  constructor(key: string, resource: string) {
    this.key = key;
    this.resource = resource;
  }

  get wasDeleted(): boolean {
    return this.#deletions.length > 0;
  }

  get acknowledgedVersions(): readonly number[] {
    return this.#acknowledgedVersions;
  }

  get subscribedVersions(): readonly number[] {
    return this.#subscribedVersions;
  }

  /** @throws when versions do not rise: then two runs have written into one log, and nothing can be judged */
  addChange(change: {
    version: number;
    at: number;
    etag: string;
    deleted: boolean;
    subscribed: boolean;
  }): void {
    const { version, at } = change;
    if (version <= this.lastVersion) {
      throw new Error(
        `The change log has version ${version} of ${this.key} after version ${this.lastVersion}`,
      );
    }
    this.lastVersion = version;
    this.#versionOfEtag.add(change.etag, version);
    if (change.deleted) this.#deletions.push({ version, at });
    if (!change.subscribed) return;
    this.#subscribedVersions.push(version);
    this.#subscribedAt.push(at);
  }

  addAcknowledged(version: number): void {
    this.#acknowledgedVersions.push(version);
  }

  versionOf(etag: string): number | undefined {
    return this.#versionOfEtag.find(etag);
  }

  lane(topic: string, partition: number): Lane {
    const found = this.lanes.find((lane) => lane.partition === partition && lane.topic === topic);
    if (found) return found;
    const lane = { topic, partition, newestShown: 0, lastShown: NOTHING, lastOffset: -1, coveredChanges: 0 };
    this.lanes.push(lane);
    return lane;
  }

  /**
   * The deletions that a record may report which follows the version `after` and was written at `timestampMs`: at
   * least the next one, at most the latest that had happened. Between them lie a deletion, a restoration and another
   * deletion that were merged into one record. Undefined where none follows.
   */
  deletionsAfter(after: number, timestampMs: number): VersionRange | undefined {
    const next = firstIndex(this.#deletions, ({ version }) => version >= after);
    const atLeast = this.#deletions[next]?.version;
    if (atLeast === undefined) return undefined;
    const happened = firstIndex(this.#deletions, ({ at }) => at > timestampMs + CLOCK_STEP_MS);
    const atMost = this.#deletions[happened - 1]?.version ?? atLeast;
    return { atLeast, atMost: Math.max(atLeast, atMost) };
  }

  /** The latest deletion; 0 without one. */
  get lastDeletion(): number {
    return this.#deletions.at(-1)?.version ?? 0;
  }

  /** Notes that a record of this lane, written at `timestampMs`, tells of all versions up to `version`. */
  cover(lane: Lane, version: number, timestampMs: number): void {
    this.coveredUpTo = Math.max(this.coveredUpTo, version);
    let index = lane.coveredChanges;
    while (index < this.#subscribedVersions.length && (this.#subscribedVersions[index] ?? 0) <= version) {
      // Another topic may have covered it sooner or later than this one.
      this.#firstCoveredAt[index] = Math.min(this.#firstCoveredAt[index] ?? timestampMs, timestampMs);
      index++;
    }
    lane.coveredChanges = index;
  }

  /** From each subscribed change to the first record that covers it. A record's clock may be behind the log's. */
  *endToEndMs(): Generator<number> {
    for (const [index, coveredAt] of this.#firstCoveredAt.entries()) {
      yield Math.max(0, coveredAt - (this.#subscribedAt[index] ?? coveredAt));
    }
  }
}

/**
 * Finds the version of an etag. Records ask in about the order of the versions, so looking on from the last find is
 * nearly always enough: filling a Map with millions of etags takes longer than all the rest of the checking.
 */
class EtagIndex {
  readonly #etags: string[] = [];
  readonly #versions: number[] = [];
  #lastFound = 0;
  #byEtag: Map<string, number> | undefined;

  add(etag: string, version: number): void {
    this.#etags.push(etag);
    this.#versions.push(version);
    this.#byEtag = undefined;
  }

  /** The first version with this etag: where a deletion keeps the etag of the state before it, that state. */
  find(etag: string): number | undefined {
    if (this.#byEtag) return this.#byEtag.get(etag);
    const index = this.#etags.indexOf(etag, this.#lastFound);
    if (index < 0) return this.#indexAll().get(etag);
    this.#lastFound = index;
    return this.#versions[index];
  }

  #indexAll(): Map<string, number> {
    this.#byEtag = new Map();
    for (let index = this.#etags.length - 1; index >= 0; index--) {
      this.#byEtag.set(this.#etags[index] as string, this.#versions[index] as number);
    }
    return this.#byEtag;
  }
}

const NOTHING: VersionRange = { atLeast: 0, atMost: 0 };

/** In a list whose items first fail and then pass the test: the index of the first that passes. */
function firstIndex<T>(items: readonly T[], passes: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(items[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}
