/** Dead letters as the worker writes them, and `g2k` run on them within the test's own process. */
import { runCommand } from '../../src/cli/run-command.ts';
import {
  type DeadLetter,
  type DeadLetterPayload,
  deadLetterRecord,
} from '../../src/records/dead-letter-record.ts';
import { createEncodeRecord, type FrameValue, type RecordMode } from '../../src/records/encode-record.ts';
import type { SentRecord } from './send-records.ts';
import { CLIENT, EVENT, TENANT } from './taken-entry.ts';

export const RECEIVED_AT = Date.UTC(2026, 10, 23, 12);

export function letter(more: Partial<DeadLetter> = {}): DeadLetter {
  return {
    tenantId: TENANT,
    resource: EVENT,
    subscriptionId: 'subscription-1',
    reason: 'every run that took it died or failed',
    stage: 'run',
    attempts: 2,
    firstReceivedAt: RECEIVED_AT,
    notifications: 3,
    notification: {
      kind: 'change',
      tenantId: TENANT,
      subscriptionId: 'subscription-1',
      changeType: 'updated',
      resource: EVENT,
      etag: 'W/"1"',
    },
    ...more,
  };
}

export type Written = {
  readonly mode?: RecordMode;
  readonly payload?: DeadLetterPayload;
  readonly frame?: FrameValue;
};

/** The record that the worker publishes for it. */
export function recordOfLetter(
  dead: DeadLetter,
  { mode = 'structured', payload = 'notification', frame }: Written = {},
): SentRecord & { readonly id: string } {
  const origin = { tenantId: dead.tenantId, clientId: CLIENT };
  const { key, event } = deadLetterRecord(origin, dead, payload);
  const { value, headers } = createEncodeRecord(mode, frame)('any', key, event);
  return { key, headers, value, id: event.id };
}

export type Ran = { readonly code: number; readonly out: string; readonly err: string };

/** `answer`: what somebody at the terminal types; without one nobody is there. */
export async function g2k(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  { answer, now = Date.now() }: { readonly answer?: string; readonly now?: number } = {},
): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommand(words, {
    environment,
    now: () => now,
    terminal: {
      out: (line) => void out.push(line),
      err: (line) => void err.push(line),
      isInteractive: answer !== undefined,
      ask: async (question) => {
        err.push(question);
        return answer ?? '';
      },
    },
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}
