import { describe, expect, it } from 'vitest';
import { nonceOf, signedClientState } from '../load/client-state.ts';
import { createNotificationPosts } from '../load/notification-posts.ts';

const SECRET = 'a-secret-of-a-benchmark';

type Item = {
  readonly subscriptionId: string;
  readonly resource: string;
  readonly clientState: string;
  readonly tenantId: string;
};

function itemsOf(body: string): Item[] {
  return (JSON.parse(body) as { value: Item[] }).value;
}

describe('the posts of a load', () => {
  it('go to the owners in turn, and each item is of another event', () => {
    const bodyOf = createNotificationPosts({ secret: SECRET, owners: 3, itemsPerPost: 2 });
    const items = [0, 1, 2].flatMap((index) => itemsOf(bodyOf(index)));
    const owners = items.map(({ resource }) => resource.split('/')[1]);
    expect(owners.slice(3)).toEqual(owners.slice(0, 3));
    expect(new Set(owners).size).toBe(3);
    expect(new Set(items.map(({ resource }) => resource)).size).toBe(6);
  });

  it('carry a clientState that is signed for the subscription and the tenant', () => {
    const bodyOf = createNotificationPosts({ secret: SECRET, owners: 2, itemsPerPost: 1 });
    const [first, second] = [0, 1].flatMap((index) => itemsOf(bodyOf(index))) as [Item, Item];
    expect(first.clientState).toMatch(/^v1\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$/);
    expect(first.clientState).toBe(signedClientState(SECRET, first.tenantId, nonceOf(first.subscriptionId)));
    expect(second.clientState).not.toBe(first.clientState);
  });
});

describe('a clientState', () => {
  it('is HMAC-SHA256 over tenant, bar and nonce', () => {
    // printf '%s' 'tenant|nonce' | openssl dgst -sha256 -hmac secret -binary | basenc --base64url
    expect(signedClientState('secret', 'tenant', 'nonce')).toBe(
      'v1.nonce.rHLeNx0PGXA_3R4i7eVBxZE9j4dSrQTvCNiVMGK0kIs',
    );
  });
});
