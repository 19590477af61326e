/** What a check finds: good, doubtful or wrong, in words for the operator; for the latter two with the cure. */

export type Remark =
  | { readonly level: 'ok'; readonly found: string }
  | {
      readonly level: 'warning' | 'error';
      readonly found: string;
      /** What to do, one sentence without a full stop. */
      readonly cure: string;
    };

export type CheckName = 'settings' | 'subscriptions' | 'sign-in' | 'graph' | 'public-url' | 'redis' | 'kafka';

export type Finding = Remark & { readonly check: CheckName };

/** A remark that asks for something to be done. */
export type Problem = Exclude<Remark, { level: 'ok' }>;

export function ok(found: string): Remark {
  return { level: 'ok', found };
}

export function warning(found: string, cure: string): Problem {
  return { level: 'warning', found, cure };
}

export function error(found: string, cure: string): Problem {
  return { level: 'error', found, cure };
}

export function isProblem(remark: Remark): remark is Problem {
  return remark.level !== 'ok';
}

/** `a, b, c and 4 more`: a fleet may have thousands. */
export function namesOf(names: readonly string[], most = 5): string {
  const rest = names.length - most;
  return rest > 0 ? `${names.slice(0, most).join(', ')} and ${rest} more` : names.join(', ');
}

/** `1 topic`, `2 topics` */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}
