/**
 * The shape of what Graph posts: a collection of change and lifecycle notifications (Graph:
 * api/resources/changenotificationcollection, api/resources/changenotification, change-notifications-lifecycle-events).
 * Known properties only: whatever else a body holds goes no further.
 */
import { z } from 'zod';

const text = z.string().max(4096);
/** What goes on into keys and records as it is: no half of a character, no control character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const plainText = text.refine((value) => value.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(value));
const optionalText = text.nullish().transform((value) => value ?? undefined);
const optionalPlainText = plainText.nullish().transform((value) => value ?? undefined);

/** `Created` with a capital was seen for chats. */
const changeType = text.toLowerCase().pipe(z.enum(['created', 'updated', 'deleted']));

const resourceData = z
  .object({
    id: optionalText,
    '@odata.id': optionalText,
    '@odata.type': optionalPlainText,
    '@odata.etag': optionalPlainText,
  })
  .nullish()
  .transform((value) => value ?? undefined);

/** In two steps that never go back: one pattern for both took 1 ms for the contents of a POST. */
const isBase64 = (text: string) => !/[^A-Za-z0-9+/=]/.test(text) && /^[^=]+={0,2}$/.test(text);
const base64 = (longest = Number.POSITIVE_INFINITY) => z.string().max(longest).refine(isBase64);

/**
 * changeNotificationEncryptedContent; how long it may be is bounded by the body that brings it. One that is not as
 * documented is none: what changed is told all the same, and will be looked up.
 */
const encryptedContent = z
  .object({
    data: base64(),
    dataKey: base64(1024),
    dataSignature: base64(64),
    encryptionCertificateId: plainText.min(1).max(128),
    encryptionCertificateThumbprint: optionalPlainText,
  })
  .nullish()
  .catch(undefined)
  .transform((value) => value ?? undefined);

const common = { subscriptionId: plainText.min(1), tenantId: text.min(1), id: optionalPlainText };

export const changeNotificationSchema = z.object({
  ...common,
  changeType,
  resource: text.min(1),
  resourceData,
  encryptedContent,
});

export const lifecycleNotificationSchema = z.object({ ...common, lifecycleEvent: plainText.min(1) });

type ParsedChange = z.output<typeof changeNotificationSchema>;
export type ChangeNotification = Omit<ParsedChange, 'encryptedContent'> &
  Partial<Pick<ParsedChange, 'encryptedContent'>>;
export type LifecycleNotification = z.output<typeof lifecycleNotificationSchema>;

/** The outer shape; items are looked at one by one, so that a bad one does not take the others down. */
export const notificationCollectionSchema = z.object({
  value: z.array(z.unknown()),
  validationTokens: z.array(z.string().nullable()).nullish(),
});
