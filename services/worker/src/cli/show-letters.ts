/** Dead letters as people and programs read them: a table, all of one, a JSON object. Pure. */
import { plainJson, plainText } from './plain-text.ts';
import type { StoredLetter } from './stored-letter.ts';

/** Room for a resource and a reason in a table; `show` has the whole of them. */
const RESOURCE_WIDTH = 72;
const REASON_WIDTH = 72;

const HEAD = ['AT', 'AGE', 'STAGE', 'REPLAY', 'TRIES', 'NOTIFICATIONS', 'SUBSCRIPTION', 'RESOURCE', 'REASON'];

/** A line each, head included; `now` in epoch milliseconds. */
export function tableOf(letters: readonly StoredLetter[], now: number): string[] {
  const rows = [HEAD, ...letters.map((letter) => rowOf(letter, now))];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function rowOf(letter: StoredLetter, now: number): string[] {
  return [
    letter.at,
    ageOf(now - letter.writtenAt),
    letter.stage,
    letter.replayable ? 'yes' : 'no',
    String(letter.attempts),
    String(letter.notifications),
    letter.subscription ?? letter.subscriptionId,
    cutMiddle(letter.resource, RESOURCE_WIDTH),
    cutEnd(letter.reason, REASON_WIDTH),
  ].map(plainText);
}

/** 45s, 12m, 3h, 5d */
function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** Resources of one owner differ at the end. */
function cutMiddle(text: string, width: number): string {
  if (text.length <= width) return text;
  const half = Math.floor((width - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(-half)}`;
}

function cutEnd(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** A JSON object on one line. */
export function jsonOf(letter: StoredLetter): string {
  return plainJson(fieldsOf(letter));
}

/** A line for each field, the notification's below. */
export function detailsOf(letter: StoredLetter): string[] {
  const { notification, ...fields } = fieldsOf(letter);
  const shown = Object.entries(fields).filter(([, value]) => value !== undefined);
  const width = Math.max(...shown.map(([name]) => name.length));
  return [
    ...shown.map(([name, value]) => `${name.padEnd(width)}  ${plainText(String(value))}`),
    ...(notification ? ['notification', ...indented(notification)] : []),
  ];
}

function indented(fields: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${name}: ${plainText(value ?? '')}`);
}

function fieldsOf(letter: StoredLetter) {
  return {
    at: letter.at,
    id: letter.id,
    written: isoTime(letter.writtenAt),
    received: isoTime(letter.receivedAt),
    stage: letter.stage,
    reason: letter.reason,
    resource: letter.resource,
    tenantId: letter.tenantId,
    subscriptionId: letter.subscriptionId,
    subscription: letter.subscription,
    notifications: letter.notifications,
    attempts: letter.attempts,
    replayable: letter.replayable,
    notification: letter.notification,
  };
}

/** A topic may hold any number as a time. */
function isoTime(epochMs: number): string {
  const time = new Date(epochMs);
  return Number.isNaN(time.getTime()) ? 'unknown' : time.toISOString();
}
