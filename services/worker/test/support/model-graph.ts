/** Graph's subscriptions as a model in memory: what it does with calls that come in any order, and what it answers. */
import { GraphError } from '../../src/graph/graph-error.ts';
import type {
  GraphSubscription,
  NewSubscription,
  SubscriptionsApi,
} from '../../src/subscriptions/subscriptions-api.ts';

/** `lost`: it is done, and the answer does not arrive. */
export type Fate = 'answered' | 'lost' | 'away' | 'throttled' | 'handshake';

export type ModelOptions = {
  readonly now: () => number;
  /** Asked for each call. */
  readonly fate: (call: 'create' | 'renew' | 'delete' | 'list') => Fate;
  /** Whether Graph refuses a second equal one; in the field it does not always. */
  readonly refusesTwins: boolean;
};

const MINUTE = 60_000;
/** As `subscriptions-api.ts` asks for a page. */
const LIST_TRIES = 3;

export class ModelGraph {
  readonly living = new Map<string, GraphSubscription>();
  /** What it removed at its end. */
  readonly lapsed: GraphSubscription[] = [];
  readonly calls = { create: 0, renew: 0, delete: 0, list: 0 };
  /** The most equal ones at any time. */
  mostEqual = 0;
  private made = 0;
  private readonly options: ModelOptions;

  constructor(options: ModelOptions) {
    this.options = options;
  }

  /** `step` is awaited before a call is worked, and after it. */
  seenBy(step: (what: string) => Promise<void>): SubscriptionsApi {
    const call = async <T>(name: keyof ModelGraph['calls'], work: () => T): Promise<T> => {
      // What was checked before is checked no more: the call is on its way.
      const fate = this.options.fate(name);
      this.calls[name]++;
      this.expire();
      if (fate === 'away') return this.afterwards(step, name, failed('transient'));
      if (fate === 'throttled') return this.afterwards(step, name, failed('throttled'));
      if (fate === 'handshake' && name === 'create') return this.afterwards(step, name, failed('handshake'));
      let answer: T;
      try {
        answer = work();
      } catch (error) {
        return this.afterwards(step, name, error);
      }
      await step(`after ${name}`);
      if (fate === 'lost') throw failed('transient');
      return answer;
    };
    return {
      create: (draft) => call('create', () => this.create(draft)),
      renew: (id, expiresAt) => call('renew', () => this.renew(id, expiresAt)),
      delete: (id) => call('delete', () => void this.living.delete(id)),
      list: async (beforeTry, onPage) => {
        for (let nth = 1; ; nth++) {
          await beforeTry?.();
          try {
            const page = await call('list', () => [...this.living.values()]);
            onPage?.();
            return page;
          } catch (error) {
            if (nth === LIST_TRIES || !isTransient(error)) throw error;
          }
        }
      },
    };
  }

  expire(): void {
    for (const [id, one] of this.living) {
      if (one.expirationDateTime > this.options.now()) continue;
      this.living.delete(id);
      this.lapsed.push(one);
    }
  }

  private async afterwards(
    step: (what: string) => Promise<void>,
    name: string,
    error: unknown,
  ): Promise<never> {
    await step(`after ${name}`);
    throw error;
  }

  private create(draft: NewSubscription): GraphSubscription {
    const { resource, changeType, notificationUrl, clientState, expiresAt } = draft;
    const equal = [...this.living.values()].filter(
      (one) => one.resource === resource && one.changeType === changeType,
    );
    if (this.options.refusesTwins && equal.length > 0) throw failed('conflict');
    const id = `made-${++this.made}`;
    const expirationDateTime = Math.max(expiresAt, this.options.now() + 45 * MINUTE);
    const one = { id, resource, changeType, notificationUrl, clientState, expirationDateTime };
    this.living.set(id, one);
    this.mostEqual = Math.max(this.mostEqual, equal.length + 1);
    return one;
  }

  private renew(id: string, expiresAt: number): GraphSubscription {
    const known = this.living.get(id);
    if (!known) throw failed('notFound');
    const one = { ...known, expirationDateTime: Math.max(expiresAt, this.options.now() + 45 * MINUTE) };
    this.living.set(id, one);
    return one;
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof GraphError && error.failure.kind === 'transient';
}

function failed(what: 'transient' | 'throttled' | 'handshake' | 'conflict' | 'notFound'): GraphError {
  if (what === 'transient') return new GraphError({ kind: 'transient', detail: 'no answer' });
  if (what === 'throttled') return new GraphError({ kind: 'throttled', retryAfterMs: 2000, scope: 'app' });
  if (what === 'notFound') return new GraphError({ kind: 'notFound' });
  const [status, code, detail] =
    what === 'conflict'
      ? [409, 'ExtensionError', 'Operation: Create; Exception: [Status Code: Conflict]']
      : [400, 'ValidationError', 'Subscription validation request failed.'];
  return new GraphError({ kind: 'rejected', status, code, detail }, { said: { code, message: detail } });
}
