/** Graph's `/subscriptions`: create, list, renew, delete. Rejects with a `GraphError`. */
import { z } from 'zod';
import type { GraphClient } from '../graph/graph-client.ts';
import { GraphError } from '../graph/graph-error.ts';
import { type PageAddress, pinnedLink } from '../graph/next-link.ts';
import { IMMUTABLE_IDS } from '../resources/outlook-preferences.ts';

const subscriptionSchema = z.object({
  id: z.string(),
  resource: z.string(),
  changeType: z.string(),
  clientState: z.string().nullish(),
  notificationUrl: z.string(),
  lifecycleNotificationUrl: z.string().nullish(),
  includeResourceData: z.boolean().nullish(),
  encryptionCertificateId: z.string().nullish(),
  expirationDateTime: z.string().transform((text, context) => {
    const at = Date.parse(text);
    if (Number.isNaN(at)) context.addIssue('not a date');
    return at;
  }),
});

const pageSchema = z.object({ value: z.array(z.unknown()), '@odata.nextLink': z.string().optional() });

export type GraphSubscription = z.output<typeof subscriptionSchema>;

/** What Graph encrypts with. */
export type EncryptionCertificate = {
  /** Our own label. */
  readonly id: string;
  /** DER in base64. */
  readonly base64: string;
};

export type NewSubscription = {
  readonly resource: string;
  readonly changeType: string;
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | undefined;
  readonly clientState: string;
  /** Epoch milliseconds; the one that Graph answers counts. */
  readonly expiresAt: number;
  /** Whether what it notifies is named by ids that stay when an item is moved. */
  readonly immutableIds?: boolean;
  /** Given: notifications carry the resource, encrypted with it. */
  readonly certificate?: EncryptionCertificate;
  /** `v1_2` without it. */
  readonly latestSupportedTlsVersion?: string;
};

export type SubscriptionsApi = ReturnType<typeof createSubscriptionsApi>;

/** More pages than a full tenant has (100,000 subscriptions in pages of 100): a list that does not end is no list. */
const MOST_PAGES = 5000;
const PAGE_TRIES = 3;
/** A change, signing in included: within what is left of a lease after its last check (`redis-fleet.ts`). */
const IN_TIME = { withinMs: 10_000 };

export function createSubscriptionsApi(client: GraphClient, graphUrl: string) {
  const one = (id: string) => `/subscriptions/${encodeURIComponent(id)}`;
  return {
    async create(made: NewSubscription): Promise<GraphSubscription> {
      const { expiresAt, certificate, immutableIds, ...subscription } = made;
      const headers = immutableIds && { headers: { Prefer: IMMUTABLE_IDS } };
      const body = {
        latestSupportedTlsVersion: 'v1_2',
        ...subscription,
        expirationDateTime: iso(expiresAt),
        ...(certificate && { includeResourceData: true, ...asProperties(certificate) }),
      };
      return read(
        await client.request({ method: 'POST', path: '/subscriptions', body, ...headers, ...IN_TIME }),
      );
    },

    /** With a certificate or an address: what is notified from then on is encrypted with that, or goes there. */
    async renew(
      id: string,
      expiresAt: number,
      certificate?: EncryptionCertificate,
      notificationUrl?: string,
    ): Promise<GraphSubscription> {
      const body = {
        expirationDateTime: iso(expiresAt),
        ...(certificate && asProperties(certificate)),
        ...(notificationUrl !== undefined && { notificationUrl }),
      };
      return read(await client.request({ method: 'PATCH', path: one(id), body, ...IN_TIME }));
    },

    /** Resolves also where it is gone already. */
    async delete(id: string): Promise<void> {
      try {
        await client.request({ method: 'DELETE', path: one(id), ...IN_TIME });
      } catch (error) {
        if (!(error instanceof GraphError) || error.failure.kind !== 'notFound') throw error;
      }
    },

    /** Those of this app in this tenant. Graph allows 25 such calls, one for each page, in 20 s: never once per mailbox. */
    async list(
      /** Awaited before each try for a page, of which there may be three. */
      beforeTry: () => Promise<void> = async () => undefined,
      /** Told of each page that was answered. */
      onPage: () => void = () => undefined,
    ): Promise<GraphSubscription[]> {
      const all: GraphSubscription[] = [];
      let next: { path: string; query?: PageAddress['query'] } | undefined = { path: '/subscriptions' };
      for (let page = 0; next && page < MOST_PAGES; page++) {
        const { body } = await askedAgain(client, { method: 'GET', ...next }, beforeTry);
        onPage();
        const { value, '@odata.nextLink': nextLink } = readPage(body);
        all.push(...value.flatMap((item) => subscriptionSchema.safeParse(item).data ?? []));
        next = nextLink === undefined ? undefined : pinnedLink(nextLink, graphUrl);
      }
      // Half a list would look as if the other half had been removed.
      if (next) throw new GraphError({ kind: 'unusable', detail: `more than ${MOST_PAGES} pages` });
      return all;
    },
  };
}

/** Of a hundred pages one fails now and then, and half a list is none: that page is asked for again, in its turn. */
async function askedAgain(
  client: GraphClient,
  page: Parameters<GraphClient['request']>[0],
  beforeTry: () => Promise<void>,
) {
  for (let nth = 1; ; nth++) {
    await beforeTry();
    try {
      return await client.request(page);
    } catch (error) {
      const isTransient = error instanceof GraphError && error.failure.kind === 'transient';
      if (!isTransient || nth === PAGE_TRIES) throw error;
    }
  }
}

function asProperties({ id, base64 }: EncryptionCertificate) {
  return { encryptionCertificate: base64, encryptionCertificateId: id };
}

function readPage(body: unknown): z.output<typeof pageSchema> {
  const parsed = pageSchema.safeParse(body);
  if (!parsed.success) throw new GraphError({ kind: 'unusable', detail: 'the answer is no list' });
  return parsed.data;
}

function read({ body }: { body: unknown }): GraphSubscription {
  const parsed = subscriptionSchema.safeParse(body);
  if (!parsed.success) throw new GraphError({ kind: 'unusable', detail: 'the answer is no subscription' });
  return parsed.data;
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
