import { changeNotificationSchema, notificationCollectionSchema } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import { createNotificationPosts } from '../load/notification-posts.ts';
import { createRichContent } from '../load/rich-content.ts';

const POSTS = { secret: 'a-secret-of-a-benchmark', owners: 3, itemsPerPost: 5 };

describe('the posts of rich notifications and of plain ones', () => {
  const { rich, plain } = createRichContent();
  const richBody = createNotificationPosts({ ...POSTS, carried: rich })(0);
  const plainBody = createNotificationPosts({ ...POSTS, carried: plain })(1);
  const read = (body: string) => notificationCollectionSchema.parse(JSON.parse(body));

  it('are equally long', () => {
    expect(Buffer.byteLength(plainBody)).toBe(Buffer.byteLength(richBody));
  });

  it('carry a content in each item and a token, all of which a receiver takes', () => {
    const { value, validationTokens } = read(richBody);
    const contents = value.map((item) => changeNotificationSchema.parse(item).encryptedContent);
    expect(contents).toHaveLength(POSTS.itemsPerPost);
    for (const content of contents) expect(content?.data.length).toBeGreaterThan(1200);
    expect(validationTokens).toHaveLength(1);
  });

  it('carry nothing that a receiver knows where they are plain', () => {
    const { value, validationTokens } = read(plainBody);
    const contents = value.map((item) => changeNotificationSchema.parse(item).encryptedContent);
    expect(contents).toEqual(Array.from({ length: POSTS.itemsPerPost }, () => undefined));
    expect(validationTokens).toBeUndefined();
  });
});
