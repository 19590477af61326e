/** `ENCRYPTION_KEYS`: where the keys of rich notifications are kept, each with its id or a folder of them. Pure. */
import { isAbsolute } from 'node:path';
import { parseReference, ReferenceSpellingError, type SecretReference } from '@graph2kafka/shared';
import { z } from 'zod';

export type KeyPlace =
  /** Of files `{id}.pem`; ends in a slash. */
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'reference'; readonly id: string; readonly reference: SecretReference }
  /** Base64 of PEM, for platforms that put secrets into the environment. */
  | { readonly kind: 'text'; readonly id: string; readonly text: string };

const FORM = 'each must be file:/folder/ or id=reference';

/** A setting's text, its parts between commas; what is wrong is told without the part, which may be a key. */
export function keyPlaces() {
  return z.string().transform((text, context): readonly KeyPlace[] => {
    const places = text.split(',').map((part) => parsePlace(part.trim()));
    const problem = places.find((place) => typeof place === 'string') ?? repetition(places);
    if (problem !== undefined) context.addIssue(problem);
    return places.filter((place) => typeof place !== 'string');
  });
}

/** The place, or what is wrong. */
function parsePlace(part: string): KeyPlace | string {
  if (part.startsWith('file:')) {
    const path = part.slice('file:'.length).replace(/^\/\/(?=\/)/, '');
    const isFolder = path.endsWith('/') && isAbsolute(path) && !path.startsWith('//');
    return isFolder ? { kind: 'folder', path } : `a file needs its id: ${FORM}`;
  }
  const [, id = '', text = ''] = /^([^=]{1,128})=(.+)$/.exec(part) ?? [];
  if (id === '' || id.includes('-----')) return FORM;
  try {
    const reference = parseReference(text);
    return reference ? { kind: 'reference', id, reference } : { kind: 'text', id, text };
  } catch (error) {
    if (error instanceof ReferenceSpellingError) return error.message;
    throw error;
  }
}

function repetition(places: readonly (KeyPlace | string)[]): string | undefined {
  const ids = places.flatMap((place) =>
    typeof place === 'string' || place.kind === 'folder' ? [] : [place.id],
  );
  return new Set(ids).size < ids.length ? 'two keys have the same id' : undefined;
}
