/** Times as people write and read them at a command line. Pure. */
import { UsageError } from '../usage-error.ts';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A date and a time with its offset: a time of nowhere would mean another one on another machine. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;

/** `24h` in milliseconds; throws a `UsageError` that names the option. */
export function durationOf(option: string, text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count === undefined) throw new UsageError(`${option}: write how long: 90s, 30m, 24h, 3d`);
  return Number(count) * (UNIT_MS[unit] ?? 0);
}

/** From now on, or a point in time. */
export type Until = { readonly inMs: number } | { readonly at: number };

export function untilOf(option: string, text: string): Until {
  if (/^\d{1,6}[smhd]$/.test(text)) return { inMs: durationOf(option, text) };
  const at = TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return { at };
  throw new UsageError(`${option}: write how long (90m, 24h, 3d) or a time (2026-11-23T12:00:00Z)`);
}

export function iso(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

const STEPS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** `2 d 3 h`, `14 min`, `0 s`: the two largest units. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000)) * 1000;
  const first = STEPS.findIndex(([, size]) => seconds >= size);
  if (first < 0) return '0 s';
  const parts: string[] = [];
  let rest = seconds;
  for (const [unit, size] of STEPS.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.join(' ');
}

/** `in 2 d 3 h`, `5 min ago` */
export function relative(epochMs: number, now: number): string {
  return epochMs >= now ? `in ${span(epochMs - now)}` : `${span(now - epochMs)} ago`;
}
