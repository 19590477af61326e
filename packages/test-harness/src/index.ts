// The package's entry: real services and the means to judge and to trouble them, for tests and the local run.
export type { ChangeLogLine } from './checker/change-log-line.ts';
export {
  type CheckOptions,
  check,
  DeliveryChecker,
  type JudgedRecord,
} from './checker/delivery-invariants.ts';
export { describeVerdict } from './checker/describe-verdict.ts';
export { runChecker } from './checker/run-checker.ts';
export type { Latency, Problem, ProblemKind, Verdict } from './checker/verdict.ts';
export {
  ChildProcess,
  type ChildProcessOptions,
  type Exit,
  type StopOptions,
  type WaitOptions,
} from './child-process.ts';
export { type EventuallyOptions, eventually, type Succeeded } from './eventually.ts';
export { freePort } from './free-port.ts';
export { type HeldRequest, type HoldingProxy, startHoldingProxy } from './holding-proxy.ts';
export { KafkaBroker, type KafkaBrokerOptions, type KafkaListener, type ScramUser } from './kafka-broker.ts';
export { type KafkaCertificates, makeKafkaCertificates } from './kafka-certificates.ts';
export {
  createTopic,
  deleteTopic,
  endOffsets,
  type NewTopic,
  type PartitionEnd,
  topicPartitions,
} from './kafka-requests.ts';
export { LOCAL_FOLDER } from './local-folder.ts';
export { makeFolderOnce } from './make-folder-once.ts';
export { missingPrograms, type Prerequisites } from './prerequisites.ts';
export type { OnProgress } from './progress.ts';
export { RedisServer, type RedisServerOptions } from './redis-server.ts';
export { programVersion, runProgram } from './run-program.ts';
export { startSchemaRegistry } from './schema-registry-server.ts';
export {
  calendarSubscriptions,
  LOCAL_ADMIN_PASSWORD,
  LOCAL_CLIENT_STATE_SECRET,
  type Service,
  type Services,
  type StackSettings,
  startReceiver,
  startServices,
  startWorker,
  type WorkerPlace,
} from './services.ts';
export { type ArmedCut, TcpProxy, type TcpProxyCounts, type TcpProxyOptions } from './tcp-proxy.ts';
export {
  followTopic,
  readTopic,
  scanTopic,
  type TopicFollower,
  type TopicReaderOptions,
  type TopicRecord,
} from './topic-reader.ts';
