// Builds the traces of a run for the checker: a change log and records, in the words of a test.
import type { ChangeLogLine } from '../../src/checker/change-log-line.ts';
import type { JudgedRecord } from '../../src/checker/delivery-invariants.ts';

export const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95';
export const EVENT = 'users/8f0e3e42-0d5b-4a5c-9b06-1b5c1c8d1b11/events/AAMkAGI1aB=';
/** When the change with a given version happened, if its test does not say otherwise. */
export const atVersion = (version: number): number => 1_000_000 + version * 1_000;
export const etagOf = (version: number): string => `W/"${version}"`;

interface ChangeOptions {
  readonly resource?: string;
  readonly at?: number;
  readonly subscribed?: boolean;
  /** null: no delivery. Default 202. */
  readonly status?: number | null;
}

interface RecordOptions {
  readonly resource?: string;
  readonly key?: string;
  readonly partition?: number;
  readonly topic?: string;
  readonly timestampMs?: number;
  readonly id?: string;
}

type ChangeType = 'created' | 'updated' | 'deleted';

/** Versions count by themselves; each record is written 100 ms after the change with the version that it shows. */
export class RunUnderJudgement {
  readonly log: ChangeLogLine[] = [];
  readonly records: JudgedRecord[] = [];
  readonly deadLetters: JudgedRecord[] = [];
  readonly #versions = new Map<string, number>();

  /** Also logs its delivery. */
  change(changeType: ChangeType, options: ChangeOptions = {}): this {
    const { resource = EVENT, subscribed = true, status = 202 } = options;
    const version = (this.#versions.get(resource) ?? 0) + 1;
    this.#versions.set(resource, version);
    const change = { tenantId: TENANT, resource, changeType, version, etag: etagOf(version) };
    const at = options.at ?? atVersion(version);
    this.log.push({ ...change, kind: 'change', at, subscribed });
    if (subscribed && status !== null) this.log.push({ ...change, kind: 'delivery', at, status });
    return this;
  }

  /** A record that shows the state of a version. */
  state(version: number, options: RecordOptions = {}): this {
    const shown = { acquisition: 'fetched', resourceversion: etagOf(version) };
    return this.#record('Updated', `state ${version}`, shown, atVersion(version) + 100, options);
  }

  deleted(version: number, options: RecordOptions = {}): this {
    const id = `deleted ${version}`;
    return this.#record('Deleted', id, { acquisition: 'deleted' }, atVersion(version) + 100, options);
  }

  notificationOnly(version: number, options: RecordOptions = {}): this {
    const shown = { acquisition: 'notification', resourceversion: etagOf(version) };
    return this.#record('Updated', `notification ${version}`, shown, atVersion(version) + 100, options);
  }

  /** Any record, e.g. one that nobody can read. */
  raw(record: Partial<JudgedRecord>): this {
    const { length } = this.records;
    const blank = { partition: 0, offset: length, timestampMs: 0, key: null, value: null, headers: {} };
    this.records.push({ ...blank, ...record });
    return this;
  }

  deadLetter(record: Pick<JudgedRecord, 'key' | 'value'>): this {
    const offset = this.deadLetters.length;
    this.deadLetters.push({ partition: 0, offset, timestampMs: 0, headers: {}, ...record });
    return this;
  }

  #record(change: string, id: string, shown: object, timestampMs: number, options: RecordOptions): this {
    const { resource = EVENT } = options;
    const event = {
      specversion: '1.0',
      id: options.id ?? `${resource} ${id}`,
      source: `/tenants/${TENANT}/applications/app`,
      type: `Microsoft.Graph.Event${change}`,
      subject: resource.replace('users', 'Users').replace('events', 'Events'),
      tenantid: TENANT,
      ...shown,
      data: {},
    };
    return this.raw({
      key: options.key ?? `${TENANT}/${resource}`,
      value: JSON.stringify(event),
      timestampMs: options.timestampMs ?? timestampMs,
      ...(options.partition === undefined ? {} : { partition: options.partition }),
      ...(options.topic === undefined ? {} : { topic: options.topic }),
    });
  }
}
