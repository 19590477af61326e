// Shows an Outlook time ({dateTime, timeZone}) in another time zone, by IANA's names or by Windows'.
import { type WordTable, wordTable } from './word-table.ts';

/** Windows' names of zones, as Outlook uses them, and IANA's zone for each (Unicode CLDR, windowsZones). */
const WINDOWS_ZONES: WordTable<string> = wordTable({
  'AUS Eastern Standard Time': 'Australia/Sydney',
  'Arabian Standard Time': 'Asia/Dubai',
  'Argentina Standard Time': 'America/Buenos_Aires',
  'Atlantic Standard Time': 'America/Halifax',
  'Central Europe Standard Time': 'Europe/Budapest',
  'Central European Standard Time': 'Europe/Warsaw',
  'Central Standard Time': 'America/Chicago',
  'China Standard Time': 'Asia/Shanghai',
  'E. Africa Standard Time': 'Africa/Nairobi',
  'E. South America Standard Time': 'America/Sao_Paulo',
  'Eastern Standard Time': 'America/New_York',
  'Egypt Standard Time': 'Africa/Cairo',
  'FLE Standard Time': 'Europe/Kiev',
  'GMT Standard Time': 'Europe/London',
  'GTB Standard Time': 'Europe/Bucharest',
  'Greenwich Standard Time': 'Atlantic/Reykjavik',
  'Hawaiian Standard Time': 'Pacific/Honolulu',
  'India Standard Time': 'Asia/Calcutta',
  'Israel Standard Time': 'Asia/Jerusalem',
  'Korea Standard Time': 'Asia/Seoul',
  'Mountain Standard Time': 'America/Denver',
  'New Zealand Standard Time': 'Pacific/Auckland',
  'Pacific Standard Time': 'America/Los_Angeles',
  'Romance Standard Time': 'Europe/Paris',
  'Russian Standard Time': 'Europe/Moscow',
  'SE Asia Standard Time': 'Asia/Bangkok',
  'Singapore Standard Time': 'Asia/Singapore',
  'South Africa Standard Time': 'Africa/Johannesburg',
  'Tokyo Standard Time': 'Asia/Tokyo',
  'Turkey Standard Time': 'Europe/Istanbul',
  'US Mountain Standard Time': 'America/Phoenix',
  UTC: 'UTC',
  'W. Europe Standard Time': 'Europe/Berlin',
});

export interface DateTimeTimeZone {
  /** Without offset: "2026-12-01T09:00:00.0000000". */
  readonly dateTime: string;
  readonly timeZone: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** undefined for a zone that neither list has. */
function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  try {
    const format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: WINDOWS_ZONES.get(timeZone) ?? timeZone,
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    formats.set(timeZone, format);
    return format;
  } catch {
    return undefined;
  }
}

export function isTimeZone(timeZone: string): boolean {
  return formatOf(timeZone) !== undefined;
}

/** The clock on the wall there, as if it were UTC; Swedish dates have ISO's order. */
const wallClockMs = (format: Intl.DateTimeFormat, epochMs: number) =>
  Date.parse(`${format.format(epochMs).replace(' ', 'T')}Z`);

/** Epoch milliseconds, or undefined for a zone or a time that cannot be read. */
export function epochMsOf({ dateTime, timeZone }: DateTimeTimeZone): number | undefined {
  const format = formatOf(timeZone);
  const wallMs = Date.parse(`${dateTime.slice(0, 23).replace(/Z$/, '')}Z`);
  if (format === undefined || Number.isNaN(wallMs)) return undefined;
  // The offset of a nearby moment, and once more with it: right save within the hour that a clock change repeats.
  const nearMs = wallMs - (wallClockMs(format, wallMs) - wallMs);
  const wholeSecondMs = Math.floor(nearMs / 1000) * 1000;
  return wallMs - (wallClockMs(format, nearMs) - wholeSecondMs);
}

/** The same moment in another zone; as it is where its own zone cannot be read. */
export function inTimeZone(time: DateTimeTimeZone, timeZone: string): DateTimeTimeZone {
  if (time.timeZone === timeZone) return time;
  const epochMs = epochMsOf(time);
  const format = formatOf(timeZone);
  if (epochMs === undefined || format === undefined) return time;
  const wholeSecondMs = Math.floor(epochMs / 1000) * 1000;
  const shown = new Date(wallClockMs(format, epochMs) + (epochMs - wholeSecondMs)).toISOString();
  return { dateTime: shown.replace('Z', '0000'), timeZone };
}
