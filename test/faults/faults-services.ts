/** What can happen to receiver and workers from outside, at any moment: kills, stops, deployments. */
import type { Fault, Harm } from './fault.ts';
import type { Scenario } from './scenario.ts';
import type { SupervisedService } from './supervised-service.ts';

type Choose = (scenario: Scenario) => SupervisedService;

const theReceiver: Choose = ({ receiver }) => receiver;
const someWorker: Choose = ({ workers, random }) =>
  workers[Math.floor(random() * workers.length)] as SupervisedService;

/** Its supervisor starts it again by itself; it is healed when it listens. */
function ending(service: SupervisedService): Harm {
  const lives = service.lives;
  return { heal: async () => void (await service.running()), wasFelt: () => service.lives > lives };
}

async function freeze(scenario: Scenario, service: SupervisedService): Promise<Harm> {
  const thaw = await service.freeze();
  const said = () => scenario.observations.logged.filter((line) => line.service === service.name).length;
  const before = said();
  let during = 0;
  return {
    async heal() {
      during = said() - before;
      thaw();
    },
    // What was in the pipe when it stopped is still heard.
    wasFelt: () => during <= IN_THE_PIPE,
  };
}

const IN_THE_PIPE = 50;

export const serviceFaults = {
  'receiver-killed': {
    peer: 'receiver',
    lastsMs: [0, 500],
    async inflict(scenario) {
      const service = theReceiver(scenario);
      await service.kill9();
      return ending(service);
    },
  },
  'receiver-frozen': {
    peer: 'receiver',
    lastsMs: [3500, 5000],
    inflict: (scenario) => freeze(scenario, theReceiver(scenario)),
  },
  'receiver-deployed': {
    peer: 'receiver',
    lastsMs: [0, 500],
    async inflict(scenario) {
      const service = theReceiver(scenario);
      await service.terminate();
      return ending(service);
    },
  },
  'worker-killed': {
    peer: 'workers',
    lastsMs: [0, 500],
    async inflict(scenario) {
      const service = someWorker(scenario);
      await service.kill9();
      return ending(service);
    },
  },
  'worker-frozen': {
    peer: 'workers',
    lastsMs: [3500, 6000],
    inflict: (scenario) => freeze(scenario, someWorker(scenario)),
  },
  'worker-deployed': {
    peer: 'workers',
    lastsMs: [0, 500],
    async inflict(scenario) {
      const service = someWorker(scenario);
      await service.terminate();
      return ending(service);
    },
  },
} satisfies Record<string, Fault>;
