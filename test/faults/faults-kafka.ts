/** What can happen to Kafka, or to the connections to it. */
import type { KafkaBroker } from '@graph2kafka/test-harness';
import type { Fault, Harm, Span } from './fault.ts';
import type { Scenario } from './scenario.ts';

/** An error was met, or the records stopped coming. */
function feltIn({ observations }: Scenario, { from, to }: Span): boolean {
  const met = ['record.not-published', 'intake.paused', 'kafka.client'].some(
    (name) => observations.between(name, from, to).length > 0,
  );
  const begun = observations.between('record.published', from - SILENCE_MS, from).length;
  return met || (begun > 0 && observations.between('record.published', from + SILENCE_MS, to).length === 0);
}

/** Records come several a second; what is under way when the broker stops is through within this. */
const SILENCE_MS = 500;

function brokerOf({ servers }: Scenario): KafkaBroker {
  if (!servers.kafka) throw new Error('this Kafka is not ours to hurt: start the scenario without `brokers`');
  return servers.kafka;
}

function harming(scenario: Scenario, heal: () => Promise<unknown>): Harm {
  return { heal: async () => void (await heal()), wasFelt: (span) => feltIn(scenario, span) };
}

const PRODUCE = 0;
/** A request begins with its length (4 bytes) and the number of what it asks for (2 bytes). */
const isProduceRequest = (request: Buffer) => request.length >= 6 && request.readInt16BE(4) === PRODUCE;

export const kafkaFaults = {
  'kafka-stopped': {
    peer: 'kafka',
    lastsMs: [500, 4000],
    async inflict(scenario) {
      const broker = brokerOf(scenario);
      await broker.stop();
      return harming(scenario, () => broker.restart());
    },
  },
  'kafka-killed': {
    peer: 'kafka',
    lastsMs: [500, 4000],
    async inflict(scenario) {
      const broker = brokerOf(scenario);
      await broker.kill9();
      return harming(scenario, () => broker.restart());
    },
  },
  'kafka-frozen': {
    peer: 'kafka',
    lastsMs: [3000, 20_000],
    async inflict(scenario) {
      const broker = brokerOf(scenario);
      broker.freeze();
      return harming(scenario, async () => broker.thaw());
    },
  },
  /** The record is written, and the worker cannot know it. */
  'kafka-reply-cut': {
    peer: 'kafka',
    lastsMs: [500, 1500],
    async inflict({ servers }) {
      if (!servers.kafkaProxy)
        throw new Error('replies are cut by a proxy: start the scenario with `proxied`');
      let isCut = false;
      const armed = servers.kafkaProxy.cutNextResponse(isProduceRequest);
      armed.done.then(
        () => {
          isCut = true;
        },
        () => undefined,
      );
      return { heal: async () => armed.cancel(), wasFelt: () => isCut };
    },
  },
} satisfies Record<string, Fault>;
