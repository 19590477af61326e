/** What Graph can answer in place of a resource. */
import type { RequestFault } from '@graph2kafka/graph-simulator';
import type { Fault } from './fault.ts';

const READS_OF_EVENTS = { method: 'GET', path: /\/events\// } as const;

/** Spoils so many reads, or all within its time. */
function answering(
  lastsMs: Fault['lastsMs'],
  answer: Pick<RequestFault, 'status' | 'headers' | 'delayMs' | 'kind'>,
  times = Number.POSITIVE_INFINITY,
): Fault {
  return {
    peer: 'graph',
    lastsMs,
    async inflict({ simulator }) {
      const rule = simulator.faults.add({ ...READS_OF_EVENTS, ...answer, times });
      return { heal: async () => rule.remove(), wasFelt: () => rule.hits > 0 };
    },
  };
}

export const graphFaults = {
  'graph-throttled': answering([1000, 3000], { status: 429, headers: { 'retry-after': '1' } }, 6),
  'graph-500': answering([500, 2000], { status: 500 }),
  'graph-503': answering([500, 2000], { status: 503 }),
  'graph-504-slow': answering([500, 2000], { status: 504, delayMs: 1000 }),
  'graph-slow': answering([2000, 5000], { delayMs: 1500 }),
  // Few: an event that stays unknown for 40 s counts as deleted, as it does with Graph.
  'graph-early-404': answering([500, 1500], { kind: 'early404' }, 3),
  'graph-connection-reset': answering([300, 1000], { kind: 'reset' }, 5),
  'graph-truncated': answering([300, 1000], { kind: 'truncated' }, 5),
} satisfies Record<string, Fault>;
