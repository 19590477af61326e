/** For somebody who has misspelled what is to be watched: what it may have been meant to be. Pure. */
import { parseResourcePath } from '@graph2kafka/shared';
import type { PathShape } from './resource-kind.ts';
import { RESOURCE_TABLE } from './resource-table.ts';

const GUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;
/** Less in common is no likeness. */
const LEAST_LIKENESS = 0.6;
const MOST = 3;

/** The shapes that are most like `resource`, best first, in Graph's spelling: `users/{id}/mailFolders/{id}/messages`. */
export function nearShapes(resource: string): string[] {
  const asked = resource.replaceAll('{user}', '{id}').replaceAll(GUID, '{id}').toLowerCase();
  return RESOURCE_TABLE.flatMap(({ watched }) => watched)
    .map((shape) => ({ shape, likeness: likenessOfPaths(asked, shape) }))
    .filter(({ likeness }) => likeness >= LEAST_LIKENESS)
    .toSorted((a, b) => b.likeness - a.likeness)
    .slice(0, MOST)
    .map(({ shape }) => spellOut(shape));
}

/** What is wanted is mostly in the last word: a presence is not below its user, but a presence all the same. */
function likenessOfPaths(asked: string, shape: PathShape): number {
  const last = wordsOf(asked).at(-1) ?? '';
  const ofLast = Math.max(...wordsOf(shape).map((word) => likeness(last, word)));
  return (likeness(asked, shape) + 2 * ofLast) / 3;
}

function wordsOf(path: string): string[] {
  return path.split('/').filter((word) => word !== '' && word !== '{id}');
}

/** A shape with its words as Graph's reference writes them. */
export function spellOut(shape: PathShape): string {
  const parsed = parseResourcePath(shape);
  if (!parsed.ok) return shape;
  return parsed.path.map(({ word, id }) => (id === undefined ? word : `${word}/${id}`)).join('/');
}

function pairsOf(text: string): Set<string> {
  return new Set(Array.from({ length: Math.max(text.length - 1, 0) }, (_, i) => text.slice(i, i + 2)));
}

/** Dice's coefficient: 1 for the same pairs of letters, 0 for none in common. */
export function likeness(one: string, other: string): number {
  const [a, b] = [pairsOf(one), pairsOf(other)];
  return (2 * a.intersection(b).size) / (a.size + b.size || 1);
}
