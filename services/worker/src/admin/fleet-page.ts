/** The subscriptions and wishes as a page of the admin port: a form that narrows, a table, a way on. Pure. */
import type { FleetRow } from '../listing/fleet-rows.ts';
import { LISTED_STATES } from '../listing/listed-states.ts';
import { relative } from '../listing/times.ts';
import type { FoundRows } from './find-fleet-rows.ts';
import { type FleetQuery, LIVES, queryText } from './fleet-query.ts';
import { escapeHtml, STYLE } from './html.ts';

/** `now` in epoch milliseconds; `hasTenants`: there are several, so that each row says which. */
export function renderFleet(query: FleetQuery, found: FoundRows, now: number, hasTenants: boolean): string {
  return page(`${renderForm(query)}
<table><caption>${escapeHtml(captionOf(query, found))}</caption>
<tr><th>state</th><th>wish</th><th>resource</th><th>expires</th><th>subscription</th>${hasTenants ? '<th>tenant</th>' : ''}<th>why</th></tr>
${found.rows.map((row) => renderRow(row, now, hasTenants)).join('\n')}
</table>
<p>${linksOf(query, found)}as of ${new Date(now).toISOString()}</p>`);
}

export function renderAway(): string {
  return page('<p class="failing">Redis does not answer in time: nothing is known.</p>');
}

function page(content: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Subscriptions · graph2kafka</title>
<style>${STYLE}${FLEET_STYLE}</style></head><body class="wide">
<h1><a href="/">graph2kafka</a> · subscriptions</h1>
${content}
</body></html>`;
}

function renderForm({ state, text, within }: FleetQuery): string {
  const lives = Object.entries(LIVES).map(([value, { said }]) => [value, `within ${said}`] as const);
  return `<form method="get" action="/subscriptions">
<label>state ${renderSelect('state', [['', 'any'], ...LISTED_STATES.map((one) => [one, one] as const)], state)}</label>
<label>user, wish or id <input name="text" size="40" value="${escapeHtml(text)}"></label>
<label>expires ${renderSelect('expires', [['', 'any time'], ...lives], within)}</label>
<button>show</button></form>`;
}

function renderSelect(
  name: string,
  options: readonly (readonly [value: string, said: string])[],
  chosen = '',
): string {
  const all = options.map(
    ([value, said]) => `<option value="${value}"${value === chosen ? ' selected' : ''}>${said}</option>`,
  );
  return `<select name="${name}">${all.join('')}</select>`;
}

function captionOf({ from }: FleetQuery, { rows, looked }: FoundRows): string {
  if (looked === 0) return from === 0 ? 'No subscription is known here' : 'There are no more';
  const count = rows.length === 0 ? 'None' : `${rows.length}`;
  return `${count} of wishes ${from + 1} to ${from + looked}, those that are looked at next first`;
}

function linksOf(query: FleetQuery, { next }: FoundRows): string {
  const link = (from: number, said: string) =>
    `<a href="/subscriptions${escapeHtml(queryText({ ...query, from }))}">${said}</a> · `;
  return (
    (query.from > 0 ? link(0, 'from the beginning') : '') + (next === undefined ? '' : link(next, 'more'))
  );
}

function renderRow(
  { state, wish, resource, expires, subscription, tenant = '', ...row }: FleetRow,
  now: number,
  hasTenants: boolean,
): string {
  const { reason, detail, nextTry } = row;
  const why = [
    ...(reason === undefined ? [] : [detail === undefined ? reason : `${reason}: ${detail}`]),
    ...(nextTry === undefined ? [] : [`next try ${relative(Date.parse(nextTry), now)}`]),
  ].join('; ');
  const cells = [
    wish ?? 'by hand',
    resource ?? '',
    expires === undefined ? '' : relative(Date.parse(expires), now),
    subscription ?? '',
    ...(hasTenants ? [tenant] : []),
    why,
  ];
  return `<tr><td class="${state}">${state}</td>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
}

const FLEET_STYLE =
  'body.wide{max-width:110rem}h1 a{color:inherit}form{display:flex;gap:1rem;flex-wrap:wrap;align-items:end}' +
  'table{font-size:13px}td{vertical-align:top;white-space:nowrap}' +
  'td:nth-child(3),td:last-child{white-space:normal;overflow-wrap:anywhere}' +
  '.serving{color:#1a7f37}.failing{color:#b3261e}.skipped{color:#8a6100}.waiting{color:#0550ae}';
