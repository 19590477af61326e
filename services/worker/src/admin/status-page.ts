/** The first page of the admin port: is it well, what is waiting, which subscriptions live. Pure. */
import type { RedisDurability } from '@graph2kafka/shared';
import type { Progress } from '../subscriptions/fleet.ts';
import type { FleetNumbers } from '../subscriptions/fleet-numbers.ts';
import type { SecretsInUse } from '../subscriptions/rotations.ts';
import type { KnownSubscription } from '../subscriptions/subscription-store.ts';
import { TROUBLE_REASONS, TROUBLES } from '../subscriptions/troubles.ts';
import { escapeHtml, STYLE } from './html.ts';

/** What Redis tells of the work at hand. */
export type Backlog = {
  readonly ownersWithNews: number;
  readonly jobs: Readonly<Record<string, number>>;
  readonly deadLetters: number;
  /** Those that are looked at next, `MOST_ROWS` of them. */
  readonly subscriptions: readonly KnownSubscription[];
  /** Of the reconciliation that is under way. */
  readonly progress?: Progress | undefined;
} & FleetNumbers;

export type Status = {
  readonly ready: boolean;
  /** A line for each thing that is not well. */
  readonly problems: readonly string[];
  /** A line for each tenant, or kind of resource of one, that Graph refuses now. */
  readonly pauses: readonly string[];
  /** What stands behind a 202 (setting REDIS_DURABILITY). */
  readonly durability: RedisDurability;
  /** Absent while Redis does not answer. */
  readonly backlog: Backlog | undefined;
  readonly wanted: number;
  readonly at: number;
};

export function renderStatus({ ready, problems, pauses, durability, backlog, wanted, at }: Status): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>graph2kafka</title>
<style>${STYLE}</style></head><body>
<h1>graph2kafka <span class="${ready ? 'well' : 'ill'}">${ready ? 'ready' : 'not ready'}</span></h1>
${renderList(problems)}${renderList(pauses)}
<table><caption>Redis</caption>${row('durability', DURABILITY[durability])}</table>
${backlog ? renderBacklog(backlog, wanted, at) : '<p>Redis does not answer: no numbers.</p>'}
<p><a href="/subscriptions">subscriptions</a> · <a href="/queues">queues and jobs</a> · <a href="/metrics">metrics</a> · as of ${new Date(at).toISOString()}</p>
</body></html>`;
}

function renderList(lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `<ul class="ill">${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`;
}

const DURABILITY: Readonly<Record<RedisDurability, string>> = {
  strict: 'strict: on disk before each acknowledgement, verified',
  replicated: 'replicated: on replicas before each acknowledgement',
  declared: 'declared by its operator, not verified: Redis hides its settings',
};

function renderBacklog(
  { ownersWithNews, jobs, deadLetters, subscriptions, serving, bySecret, troubles, progress }: Backlog,
  wanted: number,
  at: number,
): string {
  const shown = subscriptions.filter(({ replacedAt }) => replacedAt === undefined).slice(0, MOST_ROWS);
  return `<table><caption>Backlog</caption>
${row('owners with news', String(ownersWithNews))}
${Object.entries(jobs)
  .map(([state, count]) => row(`jobs ${state}`, String(count)))
  .join('\n')}
${row('dead letters', String(deadLetters))}
</table>
<table><caption>Subscriptions: ${serving} of ${wanted} wanted</caption>
<tr><th>wanted</th><th>resource</th><th>topic</th><th>expires in</th></tr>
${shown.map((one) => renderSubscription(one, at)).join('\n')}
</table>
<p>${serving > shown.length ? `and ${serving - shown.length} more: ` : ''}<a href="/subscriptions">all, by state, user and expiry</a></p>
${renderTroubles(troubles)}${progress ? `<p>${describeProgress(progress)}</p>` : ''}
<p>${describeSecrets(bySecret)}</p>`;
}

function describeSecrets({ current, old, replaced }: SecretsInUse): string {
  const serving = `clientState: ${current} carry the current secret, ${old} an older one`;
  if (old + replaced === 0) return serving;
  return `${serving}; ${replaced} replaced within 4 hours carried an older one. It is needed until there is none.`;
}

function renderSubscription({ wish, resource, topic, expiresAt }: KnownSubscription, at: number): string {
  const cells = [escapeHtml(wish), escapeHtml(resource), escapeHtml(topic), duration(expiresAt - at)];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function renderTroubles(troubles: FleetNumbers['troubles']): string {
  const met = TROUBLE_REASONS.filter((reason) => (troubles[reason] ?? 0) > 0);
  if (met.length === 0) return '';
  const rows = met.map((reason) => row(`${reason}: ${TROUBLES[reason].means}`, String(troubles[reason])));
  return `<table><caption>Not served, or not as it should be</caption>\n${rows.join('\n')}\n</table>`;
}

function describeProgress({ done, left, rate, leftMs }: Progress): string {
  return `reconciling: ${done} done, ${left} left, ${rate.toFixed(1)} a second, ${duration(leftMs)} to go`;
}

/** A page that a browser shows at once. */
export const MOST_ROWS = 200;

function row(name: string, value: string): string {
  return `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(value)}</td></tr>`;
}

function duration(ms: number): string {
  if (ms <= 0) return 'expired';
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
