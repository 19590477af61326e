/** Graph's list of the subscriptions of an app in a tenant, told apart: ours by their clientState, and others. Pure. */
import { type ClientStateSecrets, verifyClientState } from '@graph2kafka/shared';
import { type ListedSubscription, watchKey } from './renewal-plan.ts';
import { secretFingerprint } from './secret-fingerprint.ts';
import type { GraphSubscription } from './subscriptions-api.ts';
import { readWatched } from './watched-resource.ts';

export type Listing = {
  /** Epoch milliseconds at which it was begun. */
  readonly at: number;
  /** Those that carry a clientState of ours. */
  readonly ours: readonly ListedSubscription[];
  readonly others: readonly OtherSubscription[];
};

/** Somebody else's, or one of ours whose secret was taken away. */
export type OtherSubscription = Omit<ListedSubscription, 'nonce' | 'secret'> & {
  /** Its clientState has our form: made by us, or our like, with a secret that is not held. */
  readonly hasOurForm: boolean;
};

export type OwnMarks = {
  readonly tenantId: string;
  readonly secrets: ClientStateSecrets['secrets'];
  readonly notificationUrl: string;
};

/** As `signClientState` makes them; those that the operator accepts from elsewhere are of any other form. */
const OUR_FORM = /^v1\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$/;

export function readListing(all: readonly GraphSubscription[], marks: OwnMarks, at: number): Listing {
  const ours: ListedSubscription[] = [];
  const others: OtherSubscription[] = [];
  for (const one of all) {
    const signed = signedBy(one.clientState, marks);
    const shown = shownOf(one, marks.notificationUrl);
    if (signed) ours.push({ ...shown, ...signed });
    else others.push({ ...shown, hasOurForm: OUR_FORM.test(one.clientState ?? '') });
  }
  return { at, ours, others };
}

function signedBy(clientState: string | null | undefined, { tenantId, secrets }: OwnMarks) {
  for (const secret of secrets) {
    const state = verifyClientState(clientState, tenantId, { secrets: [secret], accepted: [] });
    if (state.verified && state.nonce !== undefined)
      return { nonce: state.nonce, secret: secretFingerprint(secret) };
  }
  return undefined;
}

/** As we note it; without what only its clientState tells. */
export function shownOf(one: GraphSubscription, notificationUrl: string) {
  const { id, resource, changeType, expirationDateTime, includeResourceData } = one;
  const isHere = sameUrl(one.notificationUrl, notificationUrl);
  return {
    id,
    ...readWatched(resource),
    changeType,
    expiresAt: expirationDateTime,
    ...(includeResourceData === true && { rich: true }),
    ...(one.encryptionCertificateId && { certificateId: one.encryptionCertificateId }),
    ...(!isHere && { elsewhere: URL.parse(one.notificationUrl)?.host ?? 'another address' }),
  };
}

function sameUrl(a: string, b: string): boolean {
  return a === b || (URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href);
}

export const SWEEP_ORPHANS = ['off', 'certain', 'likely'] as const;

/**
 * Which of ours that nobody wants are deleted at Graph. `certain`: what carries our clientState and notifies our address;
 * nobody but this deployment can have made it. `likely`: either of the two, where another deployment may share a secret
 * or have shared the address.
 */
export type SweepOrphans = (typeof SWEEP_ORPHANS)[number];

/** `isKnown`: serves a wish, or did so within hours. */
export function findOrphans(
  { ours, others }: Listing,
  isKnown: (id: string) => boolean,
  sweep: SweepOrphans,
): string[] {
  if (sweep === 'off') return [];
  const signed = ours.filter(({ elsewhere }) => sweep === 'likely' || elsewhere === undefined);
  const addressed = others.filter(({ elsewhere, hasOurForm }) => elsewhere === undefined && hasOurForm);
  return [...signed, ...(sweep === 'likely' ? addressed : [])].flatMap(({ id }) => (isKnown(id) ? [] : [id]));
}

type Indexed = {
  readonly byId: ReadonlyMap<string, ListedSubscription>;
  readonly byWatch: ReadonlyMap<string, readonly ListedSubscription[]>;
};

const indexes = new WeakMap<Listing, Indexed>();

/** To be found by id and by what is watched. */
export function indexed(listing: Listing): Indexed {
  const known = indexes.get(listing) ?? {
    byId: new Map(listing.ours.map((one) => [one.id, one])),
    byWatch: Map.groupBy(listing.ours, watchKey),
  };
  indexes.set(listing, known);
  return known;
}
