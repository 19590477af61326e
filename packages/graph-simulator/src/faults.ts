// Holds the rules of what goes wrong, decides which is applied, and keeps a list of what was inflicted.
import {
  concernsApp,
  concernsResource,
  deliveryMatcher,
  requestMatcher,
  throttleMatcher,
} from './fault-matching.ts';
import { FaultRule, type FaultView, type RuleContext } from './fault-rule.ts';
import {
  type ClockFault,
  type ConsentFault,
  type DeliveryFault,
  effectOf,
  type Fault,
  type FaultableApp,
  type FaultableCall,
  type FaultableItem,
  type RequestFault,
  type ThrottleableCall,
  type ThrottleFault,
} from './fault-rules.ts';
import { seededRandom } from './seeded-random.ts';

export type { FaultView } from './fault-rule.ts';
export type {
  AnswerKind,
  ClockFault,
  ConsentFault,
  DeliveryFault,
  Fault,
  FaultableCall,
  FaultableItem,
  FaultKind,
  RequestFault,
  ThrottleFault,
} from './fault-rules.ts';

export interface FaultHandle {
  /** 1, 2, 3 … in the order of adding. */
  readonly id: number;
  /** How often the rule has been applied. */
  readonly hits: number;
  remove(): void;
}

/** One application of a rule. */
export interface InflictedFault {
  readonly at: number;
  /** The rule's id. */
  readonly fault: number;
  /** "status 503", "slow-loris", "drop", "forge expired" … */
  readonly effect: string;
  /** "GET /v1.0/users/…", or "created users/{id}/events/{id}". */
  readonly subject: string;
}

export interface FaultsOptions {
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** What `share` is drawn from. */
  readonly seed?: number;
}

type MatchedFault = RequestFault | DeliveryFault | ThrottleFault;

interface MatchedRule<F extends MatchedFault, Subject> {
  readonly rule: FaultRule<F>;
  readonly fits: (subject: Subject) => boolean;
}

/** The newest of them; an hour at full load makes more than anyone reads. */
const KEPT_INFLICTED = 10_000;

/** Rules are tried in the order in which they were added; the first that fits is applied, alone. */
export class Faults {
  readonly #now: () => number;
  readonly #draw: () => number;
  #requests: MatchedRule<RequestFault, FaultableCall>[] = [];
  #deliveries: MatchedRule<DeliveryFault, FaultableItem>[] = [];
  #throttles: MatchedRule<ThrottleFault, ThrottleableCall>[] = [];
  #consents: FaultRule<ConsentFault>[] = [];
  #clocks: FaultRule<ClockFault>[] = [];
  #inflicted: InflictedFault[] = [];
  #lastId = 0;

  constructor({ now = Date.now, seed = 1 }: FaultsOptions = {}) {
    const random = seededRandom(seed);
    this.#now = now;
    this.#draw = () => random.next();
  }

  add(fault: Fault): FaultHandle {
    if (fault.on === 'delivery') {
      const rule = this.#rule(fault);
      this.#deliveries.push({ rule, fits: deliveryMatcher(fault) });
      return this.#handle(rule);
    }
    if (fault.on === 'throttle') {
      const rule = this.#rule(fault);
      this.#throttles.push({ rule, fits: throttleMatcher(fault) });
      return this.#handle(rule);
    }
    if (fault.on === 'consent' || fault.on === 'clock') return this.#addState(fault);
    const rule = this.#rule(fault);
    this.#requests.push({ rule, fits: requestMatcher(fault) });
    return this.#handle(rule);
  }

  /** True if there was such a rule. */
  remove(id: number): boolean {
    const isThere = this.#all().some((rule) => rule.id === id);
    this.#requests = this.#requests.filter(({ rule }) => rule.id !== id);
    this.#deliveries = this.#deliveries.filter(({ rule }) => rule.id !== id);
    this.#throttles = this.#throttles.filter(({ rule }) => rule.id !== id);
    this.#consents = this.#consents.filter((rule) => rule.id !== id);
    this.#clocks = this.#clocks.filter((rule) => rule.id !== id);
    return isThere;
  }

  /** All rules of all sides are forgotten; what they did stays listed. */
  clear(): void {
    for (const { id } of this.#all()) this.remove(id);
  }

  /** Every rule that was not removed, those that are used up too, in the order of adding. */
  list(): FaultView[] {
    const nowMs = this.#now();
    const rules = this.#all().sort((a, b) => a.id - b.id);
    return rules.map((rule) => rule.view(nowMs));
  }

  /** The newest last, up to 10,000. */
  get inflicted(): readonly InflictedFault[] {
    return this.#inflicted.slice(-KEPT_INFLICTED);
  }

  takeForRequest(call: FaultableCall): RequestFault | undefined {
    return this.#take(this.#requests, call, call.path, () => `${call.method} ${call.path}`)?.fault;
  }

  takeForDelivery(item: FaultableItem): DeliveryFault | undefined {
    return this.#take(this.#deliveries, item, item.resource, () => `${item.changeType} ${item.resource}`)
      ?.fault;
  }

  /** `leftMs`: how long the rule still holds, Infinity where it has no end. */
  takeForThrottle(call: ThrottleableCall): { fault: ThrottleFault; leftMs: number } | undefined {
    const rule = this.#take(this.#throttles, call, call.mailbox ?? call.clientId, () => call.subject);
    return rule && { fault: rule.fault, leftMs: rule.leftMs(this.#now()) };
  }

  /** Whether Graph refuses the app this resource: a path below /v1.0, or what a subscription wants to hear of. */
  refusesResource(app: FaultableApp, resource: string): boolean {
    return this.#refuses(app, `resource ${resource}`, (fault) => concernsResource(fault, resource));
  }

  /** Whether the authority refuses the app a token. */
  refusesToken(app: FaultableApp): boolean {
    return this.#refuses(app, `token of ${app.clientId}`, ({ at }) => at === 'login');
  }

  /** By how much Graph's clock is wrong now; several rules for it add up. */
  get skewMs(): number {
    if (this.#clocks.length === 0) return 0;
    const nowMs = this.#now();
    return this.#clocks.reduce((sum, rule) => sum + (rule.holds(nowMs) ? rule.fault.skewMs : 0), 0);
  }

  #rule<F extends Fault>(fault: F): FaultRule<F> {
    this.#lastId += 1;
    return new FaultRule(this.#lastId, fault, this.#now());
  }

  #all(): FaultRule[] {
    const all = [...this.#requests, ...this.#deliveries, ...this.#throttles];
    const matched = all.map(({ rule }): FaultRule => rule);
    return [...matched, ...this.#consents, ...this.#clocks];
  }

  #addState(fault: ConsentFault | ClockFault): FaultHandle {
    if (fault.on === 'consent') {
      const rule = this.#rule(fault);
      this.#consents.push(rule);
      return this.#handle(rule);
    }
    const rule = this.#rule(fault);
    this.#clocks.push(rule);
    rule.count();
    this.#note(rule, 'the clock');
    return this.#handle(rule);
  }

  #take<F extends MatchedFault, Subject>(
    rules: readonly MatchedRule<F, Subject>[],
    subject: Subject,
    name: string,
    told: () => string,
  ): FaultRule<F> | undefined {
    if (rules.length === 0) return undefined;
    const context: RuleContext = { nowMs: this.#now(), draw: this.#draw };
    const found = rules.find(({ rule, fits }) => fits(subject) && rule.take(name, context));
    if (found === undefined) return undefined;
    this.#note(found.rule, told());
    return found.rule;
  }

  #refuses(app: FaultableApp, subject: string, concerns: (fault: ConsentFault) => boolean): boolean {
    if (this.#consents.length === 0) return false;
    const nowMs = this.#now();
    const rule = this.#consents.find(
      (one) => one.holds(nowMs) && concernsApp(one.fault, app) && concerns(one.fault),
    );
    if (rule === undefined) return false;
    rule.count();
    this.#note(rule, subject);
    return true;
  }

  #note({ id, fault }: FaultRule, subject: string): void {
    this.#inflicted.push({ at: this.#now(), fault: id, effect: effectOf(fault), subject });
    // Trimmed in halves, since cutting the head off one by one costs time in proportion to the length.
    if (this.#inflicted.length > 2 * KEPT_INFLICTED) this.#inflicted = this.#inflicted.slice(-KEPT_INFLICTED);
  }

  #handle(rule: FaultRule): FaultHandle {
    return {
      id: rule.id,
      get hits() {
        return rule.hits;
      },
      remove: () => {
        this.remove(rule.id);
      },
    };
  }
}
