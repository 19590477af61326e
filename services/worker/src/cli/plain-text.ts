/** Texts of others on a terminal: nothing in them may move the cursor, ring, hide or reverse what is read. */

/** Control and format characters (C0, C1, zero width, direction), line and paragraph separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** For people: each such character is one sign that shows that something was there. */
export function plainText(text: string): string {
  return text.toWellFormed().replaceAll(UNSEEN, '\ufffd');
}

/** JSON that says the same with escapes. Between two quotes alone there are such characters, so each can be escaped. */
export function plainJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, undefined, indent);
  return json.replaceAll(UNSEEN, (sign) => (sign === '\n' ? sign : escapeSign(sign)));
}

function escapeSign(sign: string): string {
  return Array.from({ length: sign.length }, (_, i) => {
    return `\\u${sign.charCodeAt(i).toString(16).padStart(4, '0')}`;
  }).join('');
}
