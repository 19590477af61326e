/** What the pages of the admin port have in common. Pure. */

export const STYLE =
  'body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}' +
  'h1{font-size:1.4rem}h1 span{font-size:.9rem;padding:.15rem .6rem;border-radius:1rem;color:#fff}' +
  'span.well{background:#1a7f37}span.ill{background:#b3261e}ul.ill{color:#b3261e}' +
  'table{border-collapse:collapse;margin:1.5rem 0;width:100%}caption{text-align:left;font-weight:600;padding-bottom:.4rem}' +
  'td,th{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #d8dee4}td:last-child{font-variant-numeric:tabular-nums}';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** What others wrote is text, never HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
