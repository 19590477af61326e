/** What a fault is: a harm to one peer, its healing, and how to tell that the product felt it. */
import type { Scenario } from './scenario.ts';

export type Peer = 'redis' | 'kafka' | 'graph' | 'receiver' | 'workers';

/** Epoch milliseconds from the harm to the end of its healing. */
export type Span = { readonly from: number; readonly to: number };

export type Harm = {
  /** Resolves when the peer is as before. Called once. */
  heal(): Promise<void>;
  /** Whether the product felt it: only then the fault counts. Asked after the healing. */
  wasFelt(span: Span): boolean;
};

export type Fault = {
  readonly peer: Peer;
  /** Shortest and longest, in milliseconds. */
  readonly lastsMs: readonly [least: number, most: number];
  /** Resolves when the harm is done. */
  inflict(scenario: Scenario): Promise<Harm>;
};

export type FaultReport = {
  readonly kind: string;
  readonly peer: Peer;
  readonly span: Span;
  readonly felt: boolean;
};

/** Inflicts the fault, keeps it up for the time, heals it. */
export async function suffer(
  kind: string,
  fault: Fault,
  scenario: Scenario,
  wait: () => Promise<unknown>,
): Promise<FaultReport> {
  const from = Date.now();
  const harm = await fault.inflict(scenario);
  try {
    await wait();
  } finally {
    await harm.heal();
  }
  const span = { from, to: Date.now() };
  return { kind, peer: fault.peer, span, felt: harm.wasFelt(span) };
}
