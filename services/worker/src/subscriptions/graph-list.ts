/** Graph's list of the subscriptions of an app in a tenant, told apart: ours by their clientState, and others. Pure. */
import { type ClientStateSecrets, verifyClientState } from '@graph2kafka/shared';
import { type ListedSubscription, watchKey } from './renewal-plan.ts';
import { secretFingerprint } from './secret-fingerprint.ts';
import type { GraphSubscription } from './subscriptions-api.ts';
import { urlFingerprint } from './url-fingerprint.ts';
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

/** What was verified before, by id. */
export type KnownOf = (id: string) => Signed | undefined;
type Signed = Pick<ListedSubscription, 'nonce' | 'secret'>;

/**
 * `knownOf` spares what is known the arithmetic: an id that is known, with the nonce that is known of it and a secret that is
 * held, is ours.
 */
export function readListing(
  all: readonly GraphSubscription[],
  marks: OwnMarks,
  at: number,
  knownOf: KnownOf = () => undefined,
): Listing {
  const held = new Set(marks.secrets.map(secretFingerprint));
  const ours: ListedSubscription[] = [];
  const others: OtherSubscription[] = [];
  for (const one of all) {
    const known = knownOf(one.id);
    const signed = known && isAlike(one, known, held) ? known : signedBy(one.clientState, marks);
    const shown = shownOf(one, marks);
    if (signed) ours.push(signedAs(shown, signed));
    else others.push({ ...shown, hasOurForm: OUR_FORM.test(one.clientState ?? '') });
  }
  return { at, ours, others };
}

function isAlike(
  { clientState }: GraphSubscription,
  { nonce, secret }: Signed,
  held: ReadonlySet<string>,
): boolean {
  if (!clientState || secret === undefined || !held.has(secret)) return false;
  return (
    clientState.startsWith(nonce, VERSION.length) &&
    clientState.startsWith(VERSION) &&
    clientState[VERSION.length + nonce.length] === '.'
  );
}

const VERSION = 'v1.';

function signedAs(shown: ReturnType<typeof shownOf>, { nonce, secret }: Signed): ListedSubscription {
  return { ...shown, nonce, ...(secret !== undefined && { secret }) };
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
export function shownOf(one: GraphSubscription, { notificationUrl }: Pick<OwnMarks, 'notificationUrl'>) {
  const { id, resource, changeType, expirationDateTime, includeResourceData } = one;
  const isHere = sameUrl(one.notificationUrl, notificationUrl);
  return {
    id,
    ...readWatched(resource),
    changeType,
    expiresAt: expirationDateTime,
    ...(includeResourceData === true && { rich: true }),
    ...(one.encryptionCertificateId && { certificateId: one.encryptionCertificateId }),
    ...(one.lifecycleNotificationUrl !== undefined && {
      lifecycle: urlFingerprint(one.lifecycleNotificationUrl),
    }),
    ...(!isHere && { elsewhere: URL.parse(one.notificationUrl)?.host ?? 'another address' }),
  };
}

function sameUrl(a: string, b: string): boolean {
  return a === b || (URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href);
}

export const SWEEP_ORPHANS = ['off', 'certain', 'likely'] as const;

/**
 * Which of ours that nobody wants are deleted at Graph. `certain`: what carries our clientState and notifies our address, or
 * has the nonce of a request of ours; nobody but this deployment can have made it. `likely`: our clientState or our address,
 * where another deployment may share a secret, or have the address that was ours.
 */
export type SweepOrphans = (typeof SWEEP_ORPHANS)[number];

export type Known = {
  /** It serves a wish, or did so within hours. */
  readonly isKnown: (id: string) => boolean;
  /** A request of ours was sent with this nonce, and its answer was not noted. */
  readonly isIntended: (nonce: string) => boolean;
};

export function findOrphans(
  { ours, others }: Listing,
  { isKnown, isIntended }: Known,
  sweep: SweepOrphans,
): string[] {
  if (sweep === 'off') return [];
  const signed = ours.filter(
    ({ elsewhere, nonce }) => sweep === 'likely' || elsewhere === undefined || isIntended(nonce),
  );
  const addressed = others.filter(({ elsewhere, hasOurForm }) => elsewhere === undefined && hasOurForm);
  return [...signed, ...(sweep === 'likely' ? addressed : [])].flatMap(({ id }) => (isKnown(id) ? [] : [id]));
}

type Indexed = {
  readonly byId: ReadonlyMap<string, ListedSubscription>;
  /** Those that watch the same; indexed when they are asked for. */
  readonly likeWatch: (key: string) => readonly ListedSubscription[];
};

const indexes = new WeakMap<Listing, Indexed>();

/** To be found by id and by what is watched. */
export function indexed(listing: Listing): Indexed {
  const known = indexes.get(listing);
  if (known) return known;
  let byWatch: ReadonlyMap<string, readonly ListedSubscription[]> | undefined;
  const index: Indexed = {
    byId: new Map(listing.ours.map((one) => [one.id, one])),
    likeWatch(key) {
      byWatch ??= Map.groupBy(listing.ours, watchKey);
      return byWatch.get(key) ?? [];
    },
  };
  indexes.set(listing, index);
  return index;
}
