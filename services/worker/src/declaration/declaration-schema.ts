/**
 * What `subscriptions.yaml` may hold. One source for reading it and for docs/schemas/subscriptions.v1.json
 * (`node scripts/schemas.ts`), by which editors complete and check it.
 */
import { z } from 'zod';
import { schemaUri } from '../records/cloud-event.ts';
import { declaredTenantSchema } from '../tenants/declared-tenants.ts';
import { SHORTEST_LIFE_MINUTES } from './wish-rules.ts';

/** 650 users in a filter of presences, which is the most that Graph takes, are 27,000 characters. */
const LONGEST_FILTER = 32_768;
/** Longer than any principal name (Entra: 64 before the @, 48 behind it) or mail address. */
const LONGEST_NAME = 320;

const GUID = '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const ID_OR_NAME = new RegExp(`^(${GUID}|[^\\s@]+@[^\\s@]+)$`);

const filterOf = (description: string) =>
  z
    .string()
    .max(LONGEST_FILTER, `must be ${LONGEST_FILTER} characters at most`)
    .regex(/\S/, 'must not be empty')
    .regex(/^[^\p{Cc}]*$/u, 'must be one line')
    .regex(/^\s*[^\s$?]/, 'must be what stands behind $filter=')
    .transform((text) => text.trim())
    .meta({ description });

const userSchema = z
  .string()
  .max(LONGEST_NAME)
  .regex(ID_OR_NAME, 'must be an object id (a GUID), a user principal name or a mail address')
  .transform((text) => text.toLowerCase());

const usersSchema = z
  .union([
    z.array(userSchema).min(1, 'must name at least one user'),
    z.literal('all'),
    z.strictObject({
      filter: filterOf(
        "What stands behind $filter= in a list of users: accountEnabled eq true and department eq 'Sales'",
      ),
    }),
  ])
  .meta({
    description:
      'Whom {user} stands for: a list of object ids, user principal names or mail addresses; all; or those that a filter finds, { filter: … }.',
  });

const groupSchema = z
  .string()
  .max(LONGEST_NAME)
  .regex(ID_OR_NAME, 'must be the object id of a group (a GUID) or its mail address')
  .transform((text) => text.toLowerCase())
  .meta({
    description:
      'Whom {user} stands for: the members of this group, and of the groups in it. Its object id or mail address.',
  });

const entrySchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 lower-case letters, digits or -')
    .meta({
      description: 'Names the wanted subscription, together with the user. Another name makes another one.',
    }),
  tenant: z
    .string()
    .optional()
    .meta({ description: 'Name of one of tenants. Without it, the tenant of AZURE_TENANT_ID.' }),
  resource: z.string().meta({
    description:
      'The path that is watched, as Graph takes it: users/{user}/events, groups, chats/getAllMessages. {user} stands for each of the users.',
    examples: ['users/{user}/events', 'users/{user}/mailFolders/inbox/messages', 'users', 'groups'],
  }),
  users: usersSchema.optional(),
  group: groupSchema.optional(),
  changeTypes: z
    .array(z.enum(['created', 'updated', 'deleted'], 'must be created, updated or deleted'))
    .min(1, 'must name at least one')
    .optional()
    .meta({ description: 'All that Graph tells of the resource, unless some are named.' }),
  topic: z.string().optional().meta({
    description:
      'The topic of its records; without it that of the tenant, or KAFKA_TOPIC. May hold {tenant}, {resource}, {name} and, where users is a list of object ids, {user}.',
  }),
  lifeMinutes: z
    .int()
    .min(SHORTEST_LIFE_MINUTES, `must be ${SHORTEST_LIFE_MINUTES} at least`)
    .optional()
    .meta({ description: 'How long Graph lets it live until it is renewed; the longest without it.' }),
  filter: filterOf('Only these of the changes: what stands behind $filter= (isRead eq false).').optional(),
  rich: z.boolean().default(false).meta({
    description:
      'Notifications carry the resource, encrypted. Needs ENCRYPTION_KEYS and, in mailboxes, a select.',
  }),
  fetch: z.boolean().default(true).meta({
    description: 'false: records say what was notified, and nothing is read from Graph.',
  }),
  select: z
    .array(z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,63}$/, 'must be the name of a property'))
    .min(1, 'must name at least one property')
    .optional()
    .meta({ description: 'The properties that records show; all without it.' }),
  body: z
    .enum(['text', 'html'], 'must be text or html')
    .optional()
    .meta({ description: 'The form of bodies; html without it.' }),
  timeZone: z
    .string()
    .optional()
    .meta({ description: 'Times in this zone, of IANA or of Windows; UTC without it.' }),
  immutableIds: z
    .boolean()
    .optional()
    .meta({ description: 'Ids that stay when an item is moved to another folder.' }),
});

/** An entry as it is written: `users` or `group`, not yet held against each other. */
export type Wanted = z.output<typeof entrySchema>;

export const declarationSchema = z.strictObject({
  tenants: z
    .array(declaredTenantSchema)
    .default([])
    .meta({ description: 'Tenants beside the one of AZURE_TENANT_ID.' }),
  subscriptions: z
    .array(entrySchema)
    .min(1, 'must hold at least one subscription')
    .meta({ description: 'For each entry one subscription of Graph, or one for each of its people.' }),
});

export const DECLARATION_SCHEMA_NAME = 'subscriptions';

/** JSON Schema of the file as people write it. */
export function declarationJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(declarationSchema, { io: 'input' });
  return {
    $schema,
    $id: schemaUri(DECLARATION_SCHEMA_NAME),
    title: 'subscriptions.yaml of graph2kafka: what is wanted to be told of',
    ...schema,
  };
}
