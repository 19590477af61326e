/** What Redis tells of itself with INFO, and what is wrong with it. Pure. */
import { error, type Problem, warning } from './finding.ts';

export type RedisInfo = {
  readonly version: string;
  readonly role: string;
  readonly replicas: number;
  readonly usedBytes: number;
  /** 0: none is set. */
  readonly maxBytes: number;
  /** `noeviction`; undefined where it is not told. */
  readonly policy: string | undefined;
  readonly appendOnly: boolean;
  readonly lastWrite: string;
  readonly isLoading: boolean;
};

export function parseInfo(text: string): RedisInfo {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1];
  return {
    version: field('redis_version') ?? '0',
    role: field('role') ?? 'master',
    replicas: Number(field('connected_slaves') ?? 0),
    usedBytes: Number(field('used_memory') ?? 0),
    maxBytes: Number(field('maxmemory') ?? 0),
    policy: field('maxmemory_policy'),
    appendOnly: field('aof_enabled') === '1',
    lastWrite: field('aof_last_write_status') ?? 'ok',
    isLoading: field('loading') === '1',
  };
}

/** Beyond it the receiver answers 503 (`redis.memory-high-water`). */
const FULL = 0.7;
const FILLING = 0.5;

export function judgeInfo(info: RedisInfo, needed: { readonly replicas: number }): Problem[] {
  return [
    ...judgeVersion(info.version),
    ...(info.role === 'master'
      ? []
      : [error('this Redis is a replica, and takes no writes', 'let REDIS_URL name the primary')]),
    ...(info.isLoading ? [warning('Redis is still loading its data', 'wait until it is done')] : []),
    ...(info.lastWrite === 'ok'
      ? []
      : [
          error('the last write to the append-only file failed', 'see the disk of Redis: full, or read-only'),
        ]),
    ...(info.replicas < needed.replicas
      ? [
          error(
            `${info.replicas} replicas are connected, REDIS_REPLICAS=${needed.replicas} have to confirm each write`,
            'start the replicas, or lower REDIS_REPLICAS',
          ),
        ]
      : []),
    ...judgeMemory(info),
    ...judgePolicy(info.policy),
  ];
}

function judgeVersion(version: string): Problem[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 6 || (major === 6 && minor >= 2)) return [];
  return [error(`Redis is version ${version}, 6.2 is the least`, 'upgrade Redis')];
}

function judgeMemory({ usedBytes, maxBytes }: RedisInfo): Problem[] {
  if (maxBytes === 0) {
    return [
      warning(
        'maxmemory is not set: how full Redis is can be told by the memory of its machine alone',
        'redis-cli config set maxmemory, at 75 % or less of what its container has, and the same where it is started',
      ),
    ];
  }
  const share = usedBytes / maxBytes;
  const found = `${megabytes(usedBytes)} of maxmemory ${megabytes(maxBytes)} are used (${Math.round(share * 100)} %)`;
  const cure = 'see what holds up the workers (g2k_owners_with_news), or raise maxmemory';
  if (share >= FULL) return [error(`${found}; from 70 % on the receiver answers 503`, cure)];
  return share >= FILLING ? [warning(found, cure)] : [];
}

/** `strict` and `replicated` refuse it by themselves; where Redis is only declared durable it is told here. */
function judgePolicy(policy: string | undefined): Problem[] {
  if (policy === undefined || policy === 'noeviction') return [];
  return [
    error(
      `maxmemory-policy is ${policy}: a full Redis throws away what was acknowledged`,
      'redis-cli config set maxmemory-policy noeviction, and the same where it is started',
    ),
  ];
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toLocaleString('en-US', { maximumFractionDigits: 0 })} MB`;
}
