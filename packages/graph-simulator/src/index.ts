// The package's entry: the simulator, its defaults, and the types that its users need.
export type { Application } from './access-tokens.ts';
export type { Calendar } from './calendar.ts';
export type { LifeOptions } from './calendar-life.ts';
export type { PlannedChange } from './calendar-plan.ts';
export type {
  ChangeEntry,
  ChangeLogEntry,
  DeliveryEntry,
  LifecycleEntry,
  ReadEntry,
  SubscriptionEntry,
} from './change-log.ts';
export type { SimulatorState } from './control-api.ts';
export type { DeliverySettings } from './delivery-settings.ts';
export type { DeltaSettings, ExpiredTokenForm } from './delta-settings.ts';
export type { DirectoryObjects } from './directory-objects.ts';
export type { EndpointRules, EndpointState } from './endpoint-rating.ts';
export type { PlannedKind, TimedFault } from './fault-plan.ts';
export type { FaultScriptState } from './fault-script.ts';
export type {
  ClockFault,
  ConsentFault,
  DeliveryFault,
  Fault,
  FaultHandle,
  FaultKind,
  FaultView,
  InflictedFault,
  RequestFault,
  ThrottleFault,
} from './faults.ts';
export type { Forgery } from './forgery-kinds.ts';
export type { Items } from './items.ts';
export type { LifecycleEvent } from './lifecycle-item.ts';
export type { LifecycleSettings } from './lifecycle-notifications.ts';
export type { RequestLimits } from './request-limits.ts';
export type { LoggedRequest } from './request-log.ts';
export type { StoredResource } from './resource-store.ts';
export type { RetryAfterForm } from './retry-after.ts';
export { GraphSimulator } from './simulator.ts';
export {
  DEFAULT_CLIENT_ID,
  DEFAULT_CLIENT_SECRET,
  DEFAULT_TENANT_ID,
  type GraphSimulatorOptions,
  type TenantOptions,
} from './simulator-options.ts';
export type { SubscriptionQuotas } from './subscription-quotas.ts';
export type { Subscription } from './subscription-store.ts';
export type { SubscriptionThrottling } from './subscription-throttling.ts';
export type { SimulatedTenant } from './tenants.ts';
export type { DirectoryUser } from './user-directory.ts';
