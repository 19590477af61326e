/** What the simulated fleet wants: calendars and mail of many users in two tenants. Pure. */
import type { Wish } from '../../services/worker/src/subscriptions/wanted-subscriptions.ts';

export const TENANTS = [
  '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10',
  '8c1a4b7d-2e95-4f60-b3d8-6a0f9e5c2d41',
] as const;

/** Outlook's longest life as Graph grants it. */
const LIFE_MINUTES = 10_060;
/** What an operator may ask for; rich notifications of Outlook live as long at most. */
const SHORT_LIFE_MINUTES = 1_430;

/** One in five is of the second tenant, one in ten lives a day only. */
export function fleetWishes(count: number, tenants: readonly string[] = TENANTS): Wish[] {
  return Array.from({ length: count }, (_, nth) => {
    const user = `${nth.toString(16).padStart(8, '0')}-1111-4222-8333-444444444444`;
    const isShort = nth % 10 === 3;
    return {
      key: `${isShort ? 'mail' : 'calendars'}/${user}`,
      tenantId: (nth % 5 === 4 ? tenants[1] : undefined) ?? tenants[0] ?? TENANTS[0],
      resource: `users/${user}/${isShort ? 'messages' : 'events'}`,
      changeType: 'created,updated,deleted',
      topic: 'graph.events',
      lifeMinutes: isShort ? SHORT_LIFE_MINUTES : LIFE_MINUTES,
      whole: true,
    };
  });
}
