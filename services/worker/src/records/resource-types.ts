/** What a resource is called in the type of its record, as Graph's own types are called. */
import type { ResourcePath } from '@graph2kafka/shared';
import { kindOfItem } from '../resources/find-kind.ts';

/** By the path; by `#Microsoft.Graph.…` of the notification where the path does not tell. */
export function resourceType(path: ResourcePath, odataType: string | undefined): string {
  const known = kindOfItem(path)?.recordType;
  if (known) return known;
  const named = odataType
    ?.split('.')
    .at(-1)
    ?.replace(/[^A-Za-z]/g, '');
  return named ? named.charAt(0).toUpperCase() + named.slice(1) : 'Resource';
}
