/** An entry of `subscriptions.yaml` as it was understood: what is wanted, and of whom. Pure. */
import type { Wish } from '../subscriptions/wanted-subscriptions.ts';
import { ANY_USER } from './wish-rules.ts';

export type People =
  /** Object ids in lower case; principal names and mail addresses, which have to be resolved. */
  | { readonly kind: 'users'; readonly ids: readonly string[]; readonly names: readonly string[] }
  /** The users in it, and in the groups in it. An object id or a mail address. */
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'filter'; readonly filter: string }
  | { readonly kind: 'all' };

export type DeclaredEntry = {
  readonly name: string;
  readonly tenantId: string;
  /** Absent: it stands alone, for one wish. */
  readonly people?: People;
  /** The wish; of an entry with people that of anybody, `ANY_USER`, whom nobody subscribes to. */
  readonly pattern: Wish;
};

/** Who is wanted without asking Graph; `undefined`: nobody can know from the file alone. */
export function idsInFile({ people }: DeclaredEntry): readonly string[] | undefined {
  return people?.kind === 'users' && people.names.length === 0 ? people.ids : undefined;
}

/** What the entry wants of one of its people, by object id. */
export function wishFor({ name, pattern }: DeclaredEntry, id: string): Wish {
  return {
    ...pattern,
    key: `${name}/${id}`,
    resource: pattern.resource.replaceAll(ANY_USER, id),
    topic: pattern.topic.replaceAll(ANY_USER, id),
  };
}

/** The wishes of one that says all itself; none of one for which Graph has to be asked. */
export function wishesInFile(entry: DeclaredEntry): readonly Wish[] {
  if (!entry.people) return [entry.pattern];
  return (idsInFile(entry) ?? []).map((id) => wishFor(entry, id));
}
