/** Which tenant an option means. Pure. */
import { isGuid } from '@graph2kafka/shared';

/** Whether this tenant is meant by a name of `subscriptions.yaml` or by its id. */
export function isTenant(
  wanted: string,
  { id, name }: { readonly id: string; readonly name?: string },
): boolean {
  return isGuid(wanted) ? wanted.toLowerCase() === id : wanted === name;
}
