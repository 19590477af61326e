/** Looks for texts that must be nowhere: as they are, and as base64 or a URL would carry them. Pure. */

export type Hit = { readonly canary: string; readonly place: string; readonly around: string };

/** Places by name, each with all the text that was found there. */
export type Places = Readonly<Record<string, string>>;

export function findCanaries(places: Places, canaries: readonly string[]): Hit[] {
  return Object.entries(places).flatMap(([place, text]) =>
    canaries.flatMap((canary) => {
      const form = formsOf(canary).find((one) => text.includes(one));
      if (form === undefined) return [];
      const at = text.indexOf(form);
      return [{ canary, place, around: text.slice(Math.max(0, at - 200), at + form.length + 50) }];
    }),
  );
}

function formsOf(canary: string): string[] {
  const bytes = Buffer.from(canary);
  return [
    canary,
    encodeURIComponent(canary),
    JSON.stringify(canary).slice(1, -1),
    ...[0, 1, 2].map((offset) => base64Within(bytes, offset)),
  ];
}

/** What base64 of a longer text shows of these bytes, wherever they begin in it. */
function base64Within(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor(((offset + bytes.length) * 8) / 6);
  return text.slice(first, last);
}
