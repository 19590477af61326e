// The one spelling of a resource's path by which the checker knows it again. Written apart from the product's own, so
// that a fault in that one shows.

// These stand alone: no id follows them.
const SINGLETONS = new Set(
  'calendar communications drive planner presence primarychannel root security teamwork todo'.split(' '),
);
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const KEYED_SEGMENT = /^([^(]+)\('(.*)'\)$/;

/** `Users/{id}/Events('{id}')` → `users/{id}/events/{id}`: words and GUIDs in lower case, other ids as they are. */
export function canonicalPath(path: string): string {
  const canonical: string[] = [];
  let isIdNext = false;
  for (const segment of path.split('/').flatMap(unkeyed)) {
    canonical.push(isIdNext ? lowerCaseGuid(segment) : segment.toLowerCase());
    isIdNext = !isIdNext && !SINGLETONS.has(segment.toLowerCase());
  }
  return canonical.join('/');
}

/** GUIDs are the same in any case; other ids are not. */
export function lowerCaseGuid(id: string): string {
  return GUID.test(id) ? id.toLowerCase() : id;
}

function unkeyed(segment: string): string[] {
  const [, word, id] = KEYED_SEGMENT.exec(segment) ?? [];
  return word === undefined || id === undefined ? [segment] : [word, id];
}
