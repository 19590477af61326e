/** `g2k create`: one subscription made by hand, outside of subscriptions.yaml. */
import { randomUUID } from 'node:crypto';
import { createNonce, parseResourcePath, secretsOf, signClientState } from '@graph2kafka/shared';
import { judgeWanted, SHORTEST_LIFE_MINUTES } from '../../declaration/wish-rules.ts';
import { iso, relative } from '../../listing/times.ts';
import { isWhole, kindOfWatched } from '../../resources/find-kind.ts';
import { KEPT_PREFIX } from '../../subscriptions/kept-by-hand.ts';
import { madeByHand } from '../../subscriptions/made-by-hand.ts';
import { REMEMBER_MS } from '../../subscriptions/renewal-time.ts';
import { secretFingerprint } from '../../subscriptions/secret-fingerprint.ts';
import type { GraphSubscription } from '../../subscriptions/subscriptions-api.ts';
import { readWatched } from '../../subscriptions/watched-resource.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { CommandError } from '../command-error.ts';
import { plainJson } from '../plain-text.ts';
import type { Terminal } from '../terminal.ts';
import { type AskedFleet, chosenTenant, underLease } from './asked-fleet.ts';
import type { NewByHand } from './subscription-words.ts';

type Making = {
  readonly asked: NewByHand;
  readonly tenant: Tenant;
  readonly notificationUrl: string;
  /** Of a clientState that we sign. */
  readonly nonce: string;
  readonly secret: string | undefined;
  readonly clientState: string;
};

/**
 * `--keep`: notes a wish, which workers make and keep. Resolves to the exit code.
 */
export async function keepByHand(
  { json, ...asked }: NewByHand & { readonly json: boolean },
  opened: AskedFleet,
  terminal: Terminal,
  now: number,
): Promise<number> {
  const { settings, tenants, kept } = opened;
  if (settings.SUBSCRIPTIONS_FILE === undefined)
    throw new CommandError('--keep: SUBSCRIPTIONS_FILE is not set, and without it workers keep nothing');
  const tenant = chosenTenant(tenants, asked.tenant);
  const { select: _select, ...watched } = readWatched(asked.resource);
  const lifeMinutes = Math.floor((endOf(asked, now) - now) / 60_000);
  const { changeTypes } = asked;
  const wanted = { ...watched, changeTypes, lifeMinutes, rich: false };
  const verdict = judgeWanted(wanted, settings.LIFECYCLE_NOTIFICATION_URL !== undefined);
  if (!verdict.ok) throw new CommandError(`--keep: ${verdict.field}: ${verdict.reason}`);
  if (lifeMinutes < SHORTEST_LIFE_MINUTES)
    throw new CommandError(
      `--expires: must be ${SHORTEST_LIFE_MINUTES} minutes at least, for which it is renewed each time`,
    );
  const path = parseResourcePath(watched.resource);
  const key = `${KEPT_PREFIX}${randomUUID()}`;
  await kept.add({
    ...{
      key,
      tenantId: tenant.id,
      ...watched,
      changeType: changeTypes.join(','),
      topic: tenant.topic,
      lifeMinutes,
    },
    whole: watched.filter === undefined && path.ok && isWhole(path.path),
  });
  terminal.out(
    json
      ? plainJson({ wish: key, resource: watched.resource, tenant: tenant.id })
      : `Noted as the wish "${key}".`,
  );
  if (!json)
    terminal.err(
      'A worker makes it within a minute and keeps it, `g2k apply` at once; `g2k delete` ends it.',
    );
  return 0;
}

/** Resolves to the exit code; rejects with a `GraphError` where Graph refuses it. */
export async function createByHand(
  { json, ...asked }: NewByHand & { readonly json: boolean },
  opened: AskedFleet,
  terminal: Terminal,
  now: () => number,
): Promise<number> {
  const making = prepare(asked, opened, now());
  const waiting = () => terminal.err('a worker is changing subscriptions: waiting for its end');
  const made = await underLease(opened, waiting, async (held) => {
    const calls = opened.callsOf(making.tenant.id, held.check);
    const one = await calls.create(wishLike(making), draftOf(making, now()), async () => undefined);
    const known = knownOf(making, one, now());
    await held.save(known);
    await held.schedule(new Map([[known.wish, one.expirationDateTime + REMEMBER_MS + 1]]));
    return one;
  });
  const { id, resource, expirationDateTime: at } = made;
  if (json) terminal.out(plainJson({ id, resource, expires: iso(at), tenant: making.tenant.id }));
  else terminal.out(`Made ${id} for ${resource}; it ends ${iso(at)} (${relative(at, now())}).`);
  if (!json)
    terminal.err(
      'Nobody renews it: `g2k renew` does, and what subscriptions.yaml wants is renewed by itself.',
    );
  return 0;
}

function prepare(asked: NewByHand, { settings, tenants }: AskedFleet, now: number): Making {
  const tenant = chosenTenant(tenants, asked.tenant);
  const notificationUrl = asked.notificationUrl ?? settings.NOTIFICATION_URL;
  if (notificationUrl === undefined)
    throw new CommandError('where is it to notify? Give --notification-url, or set NOTIFICATION_URL');
  if (endOf(asked, now) <= now) throw new CommandError('--expires: is over already');
  checkResource(asked);
  const secrets = secretsOf(settings.CLIENT_STATE_SECRETS, tenant.id);
  const nonce = createNonce();
  const clientState = asked.clientState ?? signClientState(settings.CLIENT_STATE_SECRETS, tenant.id, nonce);
  const secret = asked.clientState === undefined ? secretFingerprint(secrets[0] ?? '') : undefined;
  return { asked, tenant, notificationUrl, nonce, secret, clientState };
}

/** What receiver and worker would not understand is of no use. */
function checkResource({ resource }: NewByHand): void {
  const parsed = parseResourcePath(readWatched(resource).resource);
  if (!parsed.ok) throw new CommandError(`--resource: ${parsed.reason}`);
  if (!kindOfWatched(parsed.path)) throw new CommandError(`--resource: cannot watch ${resource}`);
}

function endOf({ expires }: NewByHand, now: number): number {
  return 'at' in expires ? expires.at : now + expires.inMs;
}

/** For the quota that it counts against. */
function wishLike({ asked, tenant }: Making) {
  const { resource, changeTypes } = asked;
  const watched = readWatched(resource);
  const common = { key: 'by hand', tenantId: tenant.id, topic: tenant.topic, lifeMinutes: 0, whole: false };
  return { ...common, ...watched, changeType: changeTypes.join(',') };
}

function draftOf({ asked, notificationUrl, clientState }: Making, now: number) {
  return {
    resource: asked.resource,
    changeType: asked.changeTypes.join(','),
    notificationUrl,
    // One that is not renewed has nobody to answer a challenge, and one that is not answered stops the delivery.
    lifecycleNotificationUrl: undefined,
    clientState,
    expiresAt: endOf(asked, now),
    latestSupportedTlsVersion: asked.tls,
  };
}

function knownOf({ asked, tenant, nonce, secret }: Making, made: GraphSubscription, now: number) {
  const watched = readWatched(asked.resource);
  const path = parseResourcePath(watched.resource);
  return madeByHand({
    id: made.id,
    tenantId: tenant.id,
    ...watched,
    changeType: asked.changeTypes.join(','),
    topic: tenant.topic,
    whole: watched.filter === undefined && path.ok && isWhole(path.path),
    nonce,
    ...(secret && { secret }),
    servingSince: now,
    grantedAt: now,
    expiresAt: made.expirationDateTime,
  });
}
