/**
 * What the Prefer header asks Outlook for (Graph: api/event-get, outlook-immutable-id): ids that survive a move,
 * bodies as text, times in a zone. Pure.
 */

/** Has to go with the subscription, every fetch and every delta query alike. */
export const IMMUTABLE_IDS = 'IdType="ImmutableId"';

export type OutlookPreferences = {
  readonly body?: 'text' | 'html' | undefined;
  readonly timeZone?: string | undefined;
};

/** Values of the header; none where nothing is preferred. */
export function preferOf({ body, timeZone }: OutlookPreferences): string[] {
  return [
    ...(body === undefined ? [] : [`outlook.body-content-type="${body}"`]),
    ...(timeZone === undefined ? [] : [`outlook.timezone="${timeZone}"`]),
  ];
}

/** Windows names: `Tokyo Standard Time`, `Central Standard Time (Mexico)`, `Russia Time Zone 10`, `UTC-02`. */
const WINDOWS_NAME =
  /^(UTC([+-]\d{2})?|[A-Z][A-Za-z. -]{1,40} (Standard Time|Time Zone \d{1,2})( \([A-Za-z]{1,20}\))?)$/;

/** Neither quotes nor control characters are in any; a name that Graph does not know would fail every fetch. */
export function isTimeZone(name: string): boolean {
  return WINDOWS_NAME.test(name) || isIanaName(name);
}

function isIanaName(name: string): boolean {
  if (!/^[A-Za-z0-9_+/-]{1,64}$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
