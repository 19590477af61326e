// A simulator with a caller and an endpoint, for tests of what the API answers and of what it notifies.
import { setImmediate } from 'node:timers/promises';
import { GraphSimulator, type GraphSimulatorOptions } from '../src/index.ts';
import { connectTo, type GraphCaller } from './graph-caller.ts';
import { type NotificationReceiver, startReceiver } from './notification-receiver.ts';

export interface GraphSetup extends AsyncDisposable {
  readonly simulator: GraphSimulator;
  readonly graph: GraphCaller;
  readonly receiver: NotificationReceiver;
  /** Id of the first user. */
  readonly user: string;
  /** Subscribes the endpoint to a resource. */
  readonly watch: (resource: string, changeType?: string, headers?: Record<string, string>) => Promise<void>;
  /** Items notified so far, when all that was to be sent has been sent. */
  readonly notified: () => Promise<NotifiedItem[]>;
}

export interface NotifiedItem {
  readonly changeType: string;
  readonly resource: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into items of every shape
  readonly resourceData: any;
}

const HOUR_MS = 3_600_000;

/** Moves the simulator's clock on until the calls that wait for it have been answered. */
export async function letTimePass<T>({ clock }: GraphSimulator, calls: Promise<T>): Promise<T> {
  let isOver = false;
  const settled = calls.finally(() => {
    isOver = true;
  });
  settled.catch(() => undefined);
  while (!isOver) {
    clock.advance(HOUR_MS);
    // What is answered over the network needs a turn of the event loop.
    await setImmediate();
  }
  return settled;
}

export async function setUpGraph(options: GraphSimulatorOptions = {}): Promise<GraphSetup> {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(
    await GraphSimulator.start({ users: 2, delivery: { collectMs: 5 }, ...options }),
  );
  const graph = stack.use(await connectTo(simulator));
  const receiver = stack.use(await startReceiver());
  const watch = async (resource: string, changeType = 'created,updated,deleted', headers = {}) => {
    const expirationDateTime = new Date(simulator.clock.now() + 50 * 60_000).toISOString();
    const body = {
      resource,
      changeType,
      expirationDateTime,
      notificationUrl: receiver.url,
      clientState: 's',
    };
    const answer = await graph.call('POST', '/subscriptions', { body, headers });
    if (answer.status !== 201) throw new Error(`No subscription: ${JSON.stringify(answer.body)}`);
  };
  const notified = async () => {
    await simulator.notifier.idle();
    return receiver.items();
  };
  const user = simulator.users()[0]?.id ?? '';
  return {
    simulator,
    graph,
    receiver,
    user,
    watch,
    notified,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
