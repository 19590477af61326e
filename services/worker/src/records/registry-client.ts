/** Asks a schema registry (the API of Confluent's, which Apicurio and others have too) for the id of a schema. */
import { z } from 'zod';

export type RegistryLogin = { readonly user: string; readonly password: string };

export type RegistryClientSettings = {
  readonly url: string;
  readonly login: RegistryLogin | undefined;
  /** False: a schema that is not there is refused instead of registered. */
  readonly register: boolean;
};

/** Resolves to the id under which readers find the schema. */
export type FindSchemaId = (subject: string, schema: string) => Promise<number>;

/** What the operator has to mend: missing, incompatible, not allowed. Any other error may pass by itself. */
export class SchemaRefusedError extends Error {
  override readonly name = 'SchemaRefusedError';
}

/** A registry on another continent, that asks its Kafka, has answered by then. */
const TIMEOUT_MS = 10_000;
/** As long as an operator reads on. */
const LONGEST_REASON = 300;

const answerSchema = z.object({ id: z.int().min(0).max(0xff_ff_ff_ff) });
const refusalSchema = z.object({ message: z.string() });

export function createFindSchemaId({ url, login, register }: RegistryClientSettings): FindSchemaId {
  const base = url.replace(/\/+$/, '');
  const credentials = login && Buffer.from(`${login.user}:${login.password}`).toString('base64');
  return async (subject, schema) => {
    const answer = await fetch(
      `${base}/subjects/${encodeURIComponent(subject)}${register ? '/versions' : ''}`,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/vnd.schemaregistry.v1+json',
          ...(credentials ? { authorization: `Basic ${credentials}` } : {}),
        },
        body: JSON.stringify({ schemaType: 'JSON', schema }),
        // The password goes to the registry that is set, and nowhere else.
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      },
    );
    const text = await answer.text();
    if (answer.ok) return answerSchema.parse(JSON.parse(text)).id;
    const reason = `subject ${subject}: the schema registry answers ${answer.status}${wordsOf(text)}`;
    throw mayPass(answer.status) ? new Error(reason) : new SchemaRefusedError(reason);
  };
}

function mayPass(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

/** The registry's own words, where it gives some. */
function wordsOf(text: string): string {
  try {
    return `: ${refusalSchema.parse(JSON.parse(text)).message.slice(0, LONGEST_REASON)}`;
  } catch {
    return '';
  }
}
