/** What came back from a load: how many were accepted, how the others ended, and how long each took. */

export const ACCEPTED = 202;
/** In place of a status, where the connection ended or the time was over. */
export const NO_ANSWER = 0;

/** Sends one request; resolves to its status, or to `NO_ANSWER`; never rejects. */
export type Send = (index: number) => Promise<number>;

export class Answers {
  readonly latenciesMs: number[] = [];
  accepted = 0;
  /** Status → how many; without 202. */
  readonly others = new Map<number, number>();

  add(status: number, latencyMs: number): void {
    this.latenciesMs.push(latencyMs);
    if (status === ACCEPTED) this.accepted++;
    else this.others.set(status, (this.others.get(status) ?? 0) + 1);
  }

  get notAccepted(): number {
    return this.latenciesMs.length - this.accepted;
  }
}
