// The package's entry: the simulator, its defaults, and the types that its users need.
export type { Application } from './access-tokens.ts';
export type { Calendar } from './calendar.ts';
export type { LifeOptions } from './calendar-life.ts';
export type { PlannedChange } from './calendar-plan.ts';
export type {
  ChangeEntry,
  ChangeLogEntry,
  DeliveryEntry,
  ReadEntry,
  SubscriptionEntry,
} from './change-log.ts';
export type { SimulatorState } from './control-api.ts';
export type { DeliverySettings } from './delivery-settings.ts';
export type { DeliveryFault, Fault, FaultHandle, FaultKind, RequestFault } from './faults.ts';
export type { LoggedRequest } from './request-log.ts';
export type { StoredResource } from './resource-store.ts';
export { GraphSimulator } from './simulator.ts';
export {
  DEFAULT_CLIENT_ID,
  DEFAULT_CLIENT_SECRET,
  DEFAULT_TENANT_ID,
  type GraphSimulatorOptions,
} from './simulator-options.ts';
export type { Subscription } from './subscription-store.ts';
export type { DirectoryUser } from './user-directory.ts';
