// A simulator, an app's endpoint and a caller with a token: what most tests about subscriptions begin with.
import { GraphSimulator, type GraphSimulatorOptions } from '../src/index.ts';
import { connectTo, type GraphCaller } from './graph-caller.ts';
import { type NotificationReceiver, type ReceiverOptions, startReceiver } from './notification-receiver.ts';
import { subscribe } from './subscribe.ts';

export const MINUTE_MS = 60_000;

/** Retries within a test's patience. */
export const QUICK = { collectMs: 5, retryBaseMs: 10, retryCapMs: 40 };

export interface WebhookApp extends AsyncDisposable {
  readonly simulator: GraphSimulator;
  readonly receiver: NotificationReceiver;
  readonly graph: GraphCaller;
  /** Id of the first user. */
  readonly user: string;
  readonly event: (subject: string) => void;
  /** To that user's events unless said otherwise; its life notices go to "/lifecycle". */
  readonly subscribe: (more?: Record<string, unknown>) => ReturnType<typeof subscribe>;
  /** Epoch milliseconds of the simulator, so many minutes from now, as Graph's dates are written. */
  readonly inMinutes: (minutes: number) => string;
}

export async function startWebhookApp(
  options: GraphSimulatorOptions = {},
  receiverOptions: ReceiverOptions = {},
): Promise<WebhookApp> {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(
    await GraphSimulator.start({ ...options, delivery: { ...QUICK, ...options.delivery } }),
  );
  const receiver = stack.use(await startReceiver(receiverOptions));
  const graph = stack.use(await connectTo(simulator));
  const user = simulator.users()[0]?.id ?? '';
  const inMinutes = (minutes: number) => new Date(simulator.clock.now() + minutes * MINUTE_MS).toISOString();
  const lifecycleNotificationUrl = receiver.url.replace('/events', '/lifecycle');
  return {
    simulator,
    receiver,
    graph,
    user,
    event: (subject) => {
      simulator.calendar.create(user, { subject });
    },
    subscribe: (more) =>
      subscribe(graph, user, receiver.url, {
        lifecycleNotificationUrl,
        expirationDateTime: inMinutes(600),
        ...more,
      }),
    inMinutes,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
