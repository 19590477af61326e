/**
 * Which wishes something has changed of, at Graph or in what is known, since they were last found to be as they should be: of
 * the others a sweep would find the same again, so that it costs what has changed, and not what there is.
 */

export class Changes {
  private readonly at: Float64Array;
  private readonly open = new Set<number>();
  private circumstances = '';
  private readonly now: () => number;

  constructor(wishes: number, now: () => number) {
    this.at = new Float64Array(wishes);
    this.now = now;
    this.noteAll();
  }

  note(wish: number): void {
    this.at[wish] = this.now();
    this.open.add(wish);
  }

  /** Beside what is known and listed of it, a wish is judged by these. */
  judgeBy(circumstances: string): void {
    if (circumstances !== this.circumstances) this.noteAll();
    this.circumstances = circumstances;
  }

  /** It was found to be in order by a list of that time; what has changed since that does not show. */
  foundInOrder(wish: number, shownAt: number): void {
    if ((this.at[wish] ?? 0) < shownAt) this.open.delete(wish);
  }

  has(wish: number): boolean {
    return this.open.has(wish);
  }

  all(): readonly number[] {
    return [...this.open];
  }

  private noteAll(): void {
    for (let wish = 0; wish < this.at.length; wish++) this.note(wish);
  }
}
