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

/** For editors, which know no rule of ours but by its form. */
const GUID_FORM = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';

const inAnyCase = (text: string) =>
  text.replaceAll('.', '\\.').replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);

/** As `parseReference` reads them. */
const VAULT = '[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]';
const VAULT_HOSTS = ['vault.azure.net', 'vault.usgovcloudapi.net', 'vault.azure.cn'].map(inAnyCase).join('|');
const REFERENCE_FORM = [
  '^file:(//)?/(?!/)',
  `^azurekeyvault://${VAULT}(\\.(${VAULT_HOSTS}))?/[A-Za-z0-9-]{1,127}(/[A-Za-z0-9]{1,64})?$`,
  '^gcpsecretmanager://[a-z0-9][a-z0-9-]{1,61}/[A-Za-z0-9_-]{1,255}/[A-Za-z0-9_-]{1,63}$',
].join('|');

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
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 lower-case letters, digits or -')
    .meta({ description: 'What entries call it.' }),
  id: guid('the id of a tenant').meta({ description: 'Entra: "Directory (tenant) ID".', pattern: GUID_FORM }),
  clientId: guid('the id of an app registration').meta({
    description: 'The app registration there.',
    pattern: GUID_FORM,
  }),
  clientSecret: reference.optional().meta({
    pattern: REFERENCE_FORM,
    description:
      'Where the secret is kept: file:…, azurekeyvault://… or gcpsecretmanager://…; never the secret. Without it the platform signs in.',
  }),
  topic: topic.meta({
    description: 'Where its records go, unless an entry says otherwise; without it KAFKA_TOPIC.',
  }),
  deadLetterTopic: topic.meta({ description: 'Without it KAFKA_DEAD_LETTER_TOPIC.' }),
});

/** `clientSecret` is a reference; without one the platform signs in. */
export type DeclaredTenant = z.output<typeof declaredTenantSchema>;

export type TenantProblem = {
  /** `['tenants', 1, 'id']` */
  readonly path: readonly PropertyKey[];
  readonly reason: string;
};

/** What is wrong between them; `own` is the tenant of `AZURE_TENANT_ID`. */
export function findTenantProblems(tenants: readonly DeclaredTenant[], own: string): TenantProblem[] {
  const problems: TenantProblem[] = [];
  const seen = { names: new Set<string>(), ids: new Set([own]) };
  for (const [i, { name, id }] of tenants.entries()) {
    if (seen.names.has(name))
      problems.push({ path: ['tenants', i, 'name'], reason: `${name} is there twice` });
    if (seen.ids.has(id)) {
      const reason = `${id} is there already${id === own ? ', as AZURE_TENANT_ID' : ''}`;
      problems.push({ path: ['tenants', i, 'id'], reason });
    }
    seen.names.add(name);
    seen.ids.add(id);
  }
  return problems;
}
