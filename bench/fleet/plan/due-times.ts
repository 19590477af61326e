/** When each of a number of wishes is due, as a heap over arrays: what Redis keeps in a sorted set. */

export class DueTimes {
  private readonly at: Float64Array;
  /** Wishes by place in the heap, and the places of wishes. */
  private readonly heap: Int32Array;
  private readonly place: Int32Array;

  /** Nothing is due yet. */
  constructor(size: number) {
    this.at = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
    this.heap = Int32Array.from({ length: size }, (_, nth) => nth);
    this.place = Int32Array.from({ length: size }, (_, nth) => nth);
  }

  get(wish: number): number {
    return this.at[wish] ?? Number.POSITIVE_INFINITY;
  }

  /** Epoch milliseconds; infinite: never. */
  set(wish: number, ms: number): void {
    const before = this.get(wish);
    if (ms === before) return;
    this.at[wish] = ms;
    if (ms < before) this.rise(this.place[wish] ?? 0);
    else this.sink(this.place[wish] ?? 0);
  }

  isAnyDue(now: number): boolean {
    return this.get(this.heap[0] ?? 0) <= now;
  }

  /** The longest waiting first. */
  until(now: number, limit: number): number[] {
    const found: number[] = [];
    const times: number[] = [];
    while (found.length < limit && this.isAnyDue(now)) {
      const wish = this.heap[0] ?? 0;
      found.push(wish);
      times.push(this.get(wish));
      this.set(wish, Number.POSITIVE_INFINITY);
    }
    for (const [nth, wish] of found.entries()) this.set(wish, times[nth] ?? 0);
    return found;
  }

  private rise(from: number): void {
    const wish = this.heap[from] ?? 0;
    const ms = this.get(wish);
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.heap[parent] ?? 0;
      if (this.get(above) <= ms) break;
      this.put(place, above);
      place = parent;
    }
    this.put(place, wish);
  }

  private sink(from: number): void {
    const { heap } = this;
    const wish = heap[from] ?? 0;
    const ms = this.get(wish);
    let place = from;
    for (let child = 2 * place + 1; child < heap.length; child = 2 * place + 1) {
      const isRight = child + 1 < heap.length && this.get(heap[child + 1] ?? 0) < this.get(heap[child] ?? 0);
      const below = heap[isRight ? child + 1 : child] ?? 0;
      if (this.get(below) >= ms) break;
      this.put(place, below);
      place = isRight ? child + 1 : child;
    }
    this.put(place, wish);
  }

  private put(place: number, wish: number): void {
    this.heap[place] = wish;
    this.place[wish] = place;
  }
}
