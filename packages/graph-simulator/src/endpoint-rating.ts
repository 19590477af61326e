// Rates an endpoint by how fast it answers, and says what becomes of new notifications for it.
//
// Graph page "Receive change notifications through webhooks", throttling (April 2026): with more than 10 % of responses
// over the 3 s of a first attempt in 10 minutes it is "slow", and new notifications come 10 minutes late; with more than
// 15 % over the 10 s of a repeated one it is in "drop", and they are dropped for 10 minutes. A few are tried after every
// 10 minutes; what comes of them ends the state, or not. Lazy: time passes when it is asked.

export interface EndpointRules {
  /** False: endpoints are never punished. */
  readonly isRated: boolean;
  /** Not rated before so many notifications were answered, or were not, in the window (the page's text of 2023). */
  readonly minimumNotifications: number;
  readonly windowMs: number;
  readonly slowShare: number;
  /** How much later a slow endpoint hears of what is new. */
  readonly slowDelayMs: number;
  readonly dropShare: number;
  /** Graph says "a small number" of the notifications that are tried. */
  readonly trials: number;
}

const TEN_MINUTES_MS = 600_000;

export const GRAPH_ENDPOINT_RULES: EndpointRules = {
  isRated: true,
  minimumNotifications: 100,
  windowMs: TEN_MINUTES_MS,
  slowShare: 0.1,
  slowDelayMs: TEN_MINUTES_MS,
  dropShare: 0.15,
  trials: 5,
};

export type EndpointState = 'normal' | 'slow' | 'drop';

/** The time limits of a first and of a repeated attempt: what takes longer is slow, or worse. */
export interface ResponseLimits {
  readonly firstTimeoutMs: number;
  readonly retryTimeoutMs: number;
}

/** What is to be done with a new notification; `later` is a delay in milliseconds. */
export type Admission =
  | { readonly kind: 'now' | 'never' }
  | { readonly kind: 'later'; readonly delayMs: number };

/** What came of one POST. */
export interface EndpointResponse {
  readonly notifications: number;
  readonly tookMs: number;
  /** False where the attempt was cut off: the answer might have taken any time beyond `tookMs`. */
  readonly isAnswered: boolean;
}

export interface EndpointView {
  readonly state: EndpointState;
  /** Responses in the window, or since the trial began, by number of notifications. */
  readonly responses: number;
  /** Of 1. */
  readonly slowShare: number;
  readonly dropShare: number;
}

/** Counts of notifications whose response is known. */
interface Tally {
  total: number;
  slow: number;
  /** A first attempt that was cut off says nothing of the longer limit: a trial of that does not count it. */
  conclusive: number;
  over: number;
}

interface Slot extends Tally {
  readonly startsMs: number;
}

const emptyTally = (): Tally => ({ total: 0, slow: 0, conclusive: 0, over: 0 });
const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
/** The window moves on in steps of this. */
const SLOT_MS = 1_000;

export class EndpointRating {
  readonly #rules: EndpointRules;
  readonly #limits: ResponseLimits;
  readonly #slots: Slot[] = [];
  readonly #window = emptyTally();
  #state: EndpointState = 'normal';
  /** When the next trial begins. */
  #trialFromMs = 0;
  #trial: Tally | undefined;
  #tried = 0;

  constructor(rules: EndpointRules, limits: ResponseLimits) {
    this.#rules = rules;
    this.#limits = limits;
  }

  record({ notifications, tookMs, isAnswered }: EndpointResponse, nowMs: number): void {
    if (!this.#rules.isRated) return;
    this.#passTime(nowMs);
    const { firstTimeoutMs, retryTimeoutMs } = this.#limits;
    const isOver = tookMs >= retryTimeoutMs;
    const added = {
      total: notifications,
      slow: tookMs >= firstTimeoutMs ? notifications : 0,
      conclusive: isAnswered || isOver ? notifications : 0,
      over: isOver ? notifications : 0,
    };
    add(this.#slot(nowMs), added);
    add(this.#window, added);
    if (this.#trial !== undefined) add(this.#trial, added);
    this.#judge(nowMs);
  }

  admit(nowMs: number): Admission {
    if (!this.#rules.isRated) return { kind: 'now' };
    this.#passTime(nowMs);
    if (this.#state === 'normal') return { kind: 'now' };
    if (this.#trial !== undefined && this.#tried < this.#rules.trials) {
      this.#tried += 1;
      return { kind: 'now' };
    }
    return this.#state === 'drop' ? { kind: 'never' } : { kind: 'later', delayMs: this.#rules.slowDelayMs };
  }

  view(nowMs: number): EndpointView {
    this.#passTime(nowMs);
    const { total, slow, conclusive, over } = this.#trial ?? this.#window;
    return {
      state: this.#state,
      responses: total,
      slowShare: share(slow, total),
      dropShare: share(over, this.#trial === undefined ? total : conclusive),
    };
  }

  /** Forgets what left the window, and begins a trial, or another one, where it is time. */
  #passTime(nowMs: number): void {
    for (let [first] = this.#slots; first !== undefined; [first] = this.#slots) {
      if (first.startsMs > nowMs - this.#rules.windowMs) break;
      this.#slots.shift();
      subtract(this.#window, first);
    }
    if (this.#state === 'normal' || nowMs < this.#trialFromMs) return;
    // What an earlier trial has to say by now counts, however few it is.
    if (this.#trial !== undefined && this.#endTrial(nowMs, 1)) return;
    this.#trial = emptyTally();
    this.#tried = 0;
    this.#trialFromMs = nowMs + this.#rules.windowMs;
  }

  #judge(nowMs: number): void {
    if (this.#trial !== undefined) this.#endTrial(nowMs, this.#rules.trials);
    else this.#judgeWindow(nowMs);
  }

  #judgeWindow(nowMs: number): void {
    const { minimumNotifications, dropShare, slowShare } = this.#rules;
    const { total, slow, over } = this.#window;
    if (total < minimumNotifications) return;
    if (share(over, total) > dropShare) this.#punish('drop', nowMs);
    else if (this.#state === 'normal' && share(slow, total) > slowShare) this.#punish('slow', nowMs);
  }

  /** @returns whether so much is known that the trial is over */
  #endTrial(nowMs: number, least: number): boolean {
    const trial = this.#trial ?? emptyTally();
    const known = this.#state === 'drop' ? trial.conclusive : trial.total;
    if (known < least) return false;
    const isMended =
      this.#state === 'drop'
        ? share(trial.over, trial.conclusive) < this.#rules.dropShare
        : share(trial.slow, trial.total) < this.#rules.slowShare;
    if (isMended) this.#pardon();
    else this.#punish(this.#state, nowMs);
    return true;
  }

  #punish(state: EndpointState, nowMs: number): void {
    if (this.#state !== state || this.#trial !== undefined) this.#trialFromMs = nowMs + this.#rules.windowMs;
    this.#state = state;
    this.#trial = undefined;
  }

  /** A fresh start: what was slow before would else bring the state back at once. */
  #pardon(): void {
    this.#state = 'normal';
    this.#trial = undefined;
    this.#slots.length = 0;
    Object.assign(this.#window, emptyTally());
  }

  #slot(nowMs: number): Slot {
    const last = this.#slots.at(-1);
    if (last !== undefined && nowMs < last.startsMs + SLOT_MS) return last;
    const slot = { startsMs: nowMs, ...emptyTally() };
    this.#slots.push(slot);
    return slot;
  }
}

function add(to: Tally, { total, slow, conclusive, over }: Tally): void {
  to.total += total;
  to.slow += slow;
  to.conclusive += conclusive;
  to.over += over;
}

function subtract(from: Tally, { total, slow, conclusive, over }: Tally): void {
  add(from, { total: -total, slow: -slow, conclusive: -conclusive, over: -over });
}
