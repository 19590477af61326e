/** Times as people write them at a command line. Pure. */
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
