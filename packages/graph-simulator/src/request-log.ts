// Remembers the calls of the API and of the login authority, and how many were under way at once for each mailbox.

export interface LoggedRequest {
  readonly method: string;
  /** Decoded, with the query as it came: "/v1.0/users/{id}/events?$top=5". */
  readonly path: string;
  /** 0 until it is answered, and for ever if the connection ended first. */
  readonly status: number;
  readonly at: number;
}

export interface BeginningCall {
  readonly method: string;
  readonly path: string;
  readonly at: number;
  /** Whose calls under way it counts among, "users/{id}"; undefined for a call that is no call of Graph. */
  readonly owner: string | undefined;
}

interface InFlight {
  current: number;
  highest: number;
}

/** Enough to look back on a test; a load run needs no more than the newest. */
const KEPT_REQUESTS = 10_000;
/** All calls together are counted under this owner. */
const EVERYONE = '';

export class RequestLog {
  #requests: LoggedRequest[] = [];
  readonly #inFlight = new Map<string, InFlight>();

  get requests(): readonly LoggedRequest[] {
    return this.#requests.slice(-KEPT_REQUESTS);
  }

  /**
   * Notes a call that begins. The function it returns is called with the status just before the answer's last byte is
   * handed on, so that a client which waits for an answer is never counted twice; later calls of it do nothing.
   */
  begin(call: BeginningCall): (status: number) => void {
    const entry = { method: call.method, path: call.path, status: 0, at: call.at };
    this.#requests.push(entry);
    if (this.#requests.length > 2 * KEPT_REQUESTS) this.#requests = this.#requests.slice(-KEPT_REQUESTS);
    const counters = call.owner === undefined ? [] : [this.#counter(EVERYONE), this.#counter(call.owner)];
    for (const counter of counters) {
      counter.current += 1;
      counter.highest = Math.max(counter.highest, counter.current);
    }
    let isOver = false;
    return (status) => {
      if (isOver) return;
      isOver = true;
      entry.status = status;
      for (const counter of counters) counter.current -= 1;
    };
  }

  /** @param owner canonical, "users/{id}"; without it, all calls under /v1.0 together. */
  maxConcurrent(owner: string = EVERYONE): number {
    return this.#inFlight.get(owner)?.highest ?? 0;
  }

  #counter(owner: string): InFlight {
    const known = this.#inFlight.get(owner);
    if (known !== undefined) return known;
    const made = { current: 0, highest: 0 };
    this.#inFlight.set(owner, made);
    return made;
  }
}
