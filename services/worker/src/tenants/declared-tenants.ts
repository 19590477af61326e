/**
 * Further tenants of `subscriptions.yaml`, beside the one of `AZURE_TENANT_ID`: who signs in there, and where its records
 * go. The file holds no secret; it names where one is kept.
 */
import { isGuid, parseReference, ReferenceSpellingError } from '@graph2kafka/shared';
import { z } from 'zod';

const guid = (what: string) =>
  z
    .string()
    .refine(isGuid, `must be ${what} (a GUID)`)
    .transform((id) => id.toLowerCase());

const topic = z
  .string()
  .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'must be a topic name: letters, digits, . _ -')
  .optional();

const reference = z.string().superRefine((text, context) => {
  const wrong = (message: string) => context.addIssue({ code: 'custom', message });
  try {
    // The value itself is in no message: it may be the secret.
    if (parseReference(text) === undefined)
      wrong('must say where the secret is kept: file:, azurekeyvault:// or gcpsecretmanager://');
  } catch (error) {
    if (!(error instanceof ReferenceSpellingError)) throw error;
    wrong(error.message);
  }
});

export const declaredTenantSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 lower-case letters, digits or -'),
  id: guid('the id of a tenant'),
  clientId: guid('the id of an app registration'),
  clientSecret: reference.optional(),
  topic,
  deadLetterTopic: topic,
});

/** `clientSecret` is a reference; without one the platform signs in. */
export type DeclaredTenant = z.output<typeof declaredTenantSchema>;

/** What is wrong between them, a line each; `own` is the tenant of `AZURE_TENANT_ID`. */
export function findTenantProblems(tenants: readonly DeclaredTenant[], own: string): string[] {
  const problems = new Set<string>();
  const seen = { names: new Set<string>(), ids: new Set([own]) };
  for (const { name, id } of tenants) {
    if (seen.names.has(name)) problems.add(`tenants: ${name} is there twice`);
    if (seen.ids.has(id))
      problems.add(`tenants.${name}: ${id} is there already${id === own ? ', as AZURE_TENANT_ID' : ''}`);
    seen.names.add(name);
    seen.ids.add(id);
  }
  return [...problems];
}
