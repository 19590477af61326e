/** The most calls within any 20 s, for each tenant. */

const WINDOW_MS = 20_000;

export class WriteRate {
  private readonly times = new Map<string, number[]>();
  most = 0;

  /** `now` does not go back. */
  note(tenantId: string, now: number): void {
    const times = this.times.get(tenantId) ?? [];
    this.times.set(tenantId, times);
    times.push(now);
    while ((times[0] ?? now) <= now - WINDOW_MS) times.shift();
    this.most = Math.max(this.most, times.length);
  }
}
