// The lines of the change log that a judged run leaves behind: what changed, and what was delivered with what answer.

/** A change of a resource: the truth that records are held against. */
export interface ChangeLine {
  readonly kind: 'change';
  /** Epoch milliseconds, as all times here. */
  readonly at: number;
  readonly tenantId: string;
  /** `users/{id}/events/{id}` */
  readonly resource: string;
  readonly changeType: 'created' | 'updated' | 'deleted';
  /** Rises with each change of the resource, through deletion and restoration. */
  readonly version: number;
  readonly etag: string;
  /** Whether a live subscription wanted it at that moment. */
  readonly subscribed: boolean;
}

/** One attempt to deliver one item of a notification. */
export interface DeliveryLine {
  readonly kind: 'delivery';
  readonly at: number;
  /** null where no answer came. */
  readonly status: number | null;
  readonly tenantId: string;
  readonly resource: string;
  readonly version: number;
}

/** Reads, subscriptions and their lifecycle: of interest to a reader of the log, not to the checker. */
export interface OtherLine {
  readonly kind: 'read' | 'subscription' | 'lifecycle';
}

export type ChangeLogLine = ChangeLine | DeliveryLine | OtherLine;

const KINDS = new Set(['change', 'delivery', 'read', 'subscription', 'lifecycle']);

/** @throws when the text is no line of a change log */
export function parseChangeLogLine(text: string): ChangeLogLine {
  const line = JSON.parse(text) as ChangeLogLine;
  if (!KINDS.has(line.kind)) throw new Error(`Not a kind of line in a change log: ${line.kind}`);
  return line;
}
