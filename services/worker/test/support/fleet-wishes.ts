/** Wishes for the calendars of users who have nothing but an id. */
import type { Wish } from '../../src/subscriptions/wanted-subscriptions.ts';

const TENANT = '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10';

export function signedWishes(lifeMinutes: number) {
  return {
    TENANT,
    wishesFor: (users: number): Wish[] =>
      Array.from({ length: users }, (_, nth) => {
        const user = `${nth.toString(16).padStart(8, '0')}-1111-4222-8333-444444444444`;
        return {
          key: `calendars/${user}`,
          tenantId: TENANT,
          resource: `users/${user}/events`,
          changeType: 'created,updated,deleted',
          topic: 'graph.events',
          lifeMinutes,
          whole: true,
        };
      }),
  };
}
