/** What receiver and worker must agree on, and nothing else. */
export {
  type ChangeNotification,
  changeNotificationSchema,
  type LifecycleNotification,
  lifecycleNotificationSchema,
  notificationCollectionSchema,
} from './change-notification.ts';
export {
  type ClientStateSecrets,
  createNonce,
  secretsOf,
  signClientState,
  splitSecret,
  type VerifiedClientState,
  verifyClientState,
} from './client-state.ts';
export {
  type CarriedByPost,
  type ContentStore,
  contentIdAt,
  createContentStore,
  MOST_TOKENS,
  type StoredContent,
} from './content-store.ts';
export { readGoogleAccessToken, readGoogleMetadata } from './google-metadata.ts';
export {
  type Begun,
  createInbox,
  type Inbox,
  type Settled,
  type Settlement,
  type TakenEntry,
  type TakenResource,
} from './inbox.ts';
export {
  type ChangeType,
  changeEntry,
  type InboxEntry,
  lifecycleEntry,
  type News,
  type ResyncNews,
  resyncEntry,
  unreadableEntry,
} from './inbox-entry.ts';
export { type ListenOptions, listen } from './listen.ts';
export { createLogger, type Logger } from './logger.ts';
export {
  DEAD_LETTER_QUEUE,
  OWNER_JOB,
  OWNER_QUEUE,
  type OwnerJobData,
  ownerJobOptions,
  type QueueNames,
  queueNames,
  SUBSCRIPTION_QUEUE,
} from './owner-queue.ts';
export {
  ConfigError,
  type Environment,
  flag,
  integer,
  list,
  parseConfig,
  url,
  withoutSecrets,
} from './parse-config.ts';
export { connectFailFast, connectPatient } from './redis-connection.ts';
export { durabilityProblems, memoryShare, placeProblems, type RedisDurability } from './redis-durability.ts';
export { repeat } from './repeat.ts';
export {
  canonicalResource,
  isGuid,
  laneOf,
  ownerOf,
  type ParsedPath,
  type PathSegment,
  parseResourcePath,
  type ResourcePath,
  requestPath,
  subjectOf,
} from './resource-path.ts';
export { type LiveConfig, loadConfig } from './secrets/live-config.ts';
export { manyLines, platformSecretReader, type ReadSecret } from './secrets/read-secret.ts';
export { mayRefer } from './secrets/referring-settings.ts';
export { SecretError } from './secrets/secret-error.ts';
export { parseReference, ReferenceSpellingError, type SecretReference } from './secrets/secret-reference.ts';
export { sharedSettings, VERBATIM } from './shared-settings.ts';
export { createShutdown, type Shutdown, untilSignal } from './shutdown.ts';
