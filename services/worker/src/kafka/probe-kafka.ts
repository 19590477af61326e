/** Whether Kafka answers now, by a real round trip: that a connection was accepted says nothing. */
import { setTimeout as pause } from 'node:timers/promises';
import { Base } from '@platformatic/kafka';
import type { KafkaConnection } from './kafka-connection.ts';
import { reasonOf } from './kafka-error.ts';
import { outliveLateErrors, platformaticOptions } from './platformatic-options.ts';

/** Far beyond a slow round trip, sign-in included. */
const PROBE_TIMEOUT_MS = 3000;

/** Rejects after 3 s at the latest, with what the operator can mend where that is known. */
export async function probeKafka(connection: KafkaConnection): Promise<void> {
  const client = outliveLateErrors(
    new Base({
      ...platformaticOptions(connection),
      retries: 0,
      requestTimeout: PROBE_TIMEOUT_MS,
    }),
  );
  const ended = new AbortController();
  const late = pause(PROBE_TIMEOUT_MS, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`no answer within ${PROBE_TIMEOUT_MS} ms`);
  });
  late.catch(() => undefined);
  try {
    await Promise.race([client.metadata({ topics: [] }), late]);
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error });
  } finally {
    ended.abort();
    void client.close().catch(() => undefined);
  }
}
