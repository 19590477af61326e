/**
 * The shape of what Graph posts: a collection of change and lifecycle notifications
 * (change-notifications-delivery-webhooks, resource type changeNotification). Known properties only: whatever
 * else a body holds goes no further.
 */
import { z } from 'zod';

const text = z.string().max(4096);
const optionalText = text.nullish().transform((value) => value ?? undefined);

/** `Created` with a capital was seen for chats. */
const changeType = text.toLowerCase().pipe(z.enum(['created', 'updated', 'deleted']));

const resourceData = z
  .object({
    id: optionalText,
    '@odata.id': optionalText,
    '@odata.type': optionalText,
    '@odata.etag': optionalText,
  })
  .nullish()
  .transform((value) => value ?? undefined);

const common = { subscriptionId: text.min(1), tenantId: text.min(1), id: optionalText };

export const changeNotificationSchema = z.object({
  ...common,
  changeType,
  resource: text.min(1),
  resourceData,
});

export const lifecycleNotificationSchema = z.object({ ...common, lifecycleEvent: text.min(1) });

export type ChangeNotification = z.output<typeof changeNotificationSchema>;
export type LifecycleNotification = z.output<typeof lifecycleNotificationSchema>;

/** The outer shape; items are looked at one by one, so that a bad one does not take the others down. */
export const notificationCollectionSchema = z.object({
  value: z.array(z.unknown()),
  validationTokens: z.array(z.string().nullable()).nullish(),
});

/** What has to be known of an item before anything else of it is believed. */
export const claimedOriginSchema = z.object({
  tenantId: text.min(1),
  subscriptionId: text.min(1),
  clientState: z.unknown(),
});
