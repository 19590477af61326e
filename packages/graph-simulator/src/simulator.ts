// Microsoft Graph on this machine: puts the parts together and gives them one life from start to close.
import { Agent } from 'undici';
import { AccessTokens, type Application } from './access-tokens.ts';
import { announceChange } from './announce-changes.ts';
import { type Calendar, createCalendar } from './calendar.ts';
import { CalendarLife } from './calendar-life.ts';
import { makeCertificate, type ServerCertificate } from './certificate.ts';
import { ChangeLog } from './change-log.ts';
import { createControlApi, type SimulatorState } from './control-api.ts';
import { deliveryEntry } from './delivery-entry.ts';
import { Faults } from './faults.ts';
import { createGraphApi } from './graph-api.ts';
import type { JsonObject } from './graph-exchange.ts';
import { graphDateTime } from './graph-time.ts';
import { type CallSubject, createHttpApp, idsOf } from './http-app.ts';
import { HttpsListener } from './https-listener.ts';
import { createItemIds } from './item-ids.ts';
import { Notifier } from './notifier.ts';
import { createPoster } from './post-notifications.ts';
import { type LoggedRequest, RequestLog } from './request-log.ts';
import { ownerKey, parseResourcePath, type ResourcePath, ResourcePathError } from './resource-path.ts';
import { type ResourceChange, ResourceStore, type StoredResource } from './resource-store.ts';
import { createResourcesApi, readTarget } from './resources-api.ts';
import { seedUser } from './seed.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import {
  type GraphSimulatorOptions,
  type SimulatorSettings,
  simulatorSettings,
} from './simulator-options.ts';
import { SubscriptionStore } from './subscription-store.ts';
import { createSubscriptionsApi } from './subscriptions-api.ts';
import { createTokenEndpoint } from './token-endpoint.ts';
import { type DirectoryUser, UserDirectory } from './user-directory.ts';
import { validateEndpoint } from './validation-handshake.ts';

/** Expired subscriptions vanish at the next question about them; this is how late the change log may be otherwise. */
const EXPIRY_CHECK_MS = 1_000;

export class GraphSimulator implements AsyncDisposable {
  readonly #settings: SimulatorSettings;
  readonly #certificate: ServerCertificate;
  readonly #random: SeededRandom;
  readonly #directory: UserDirectory;
  readonly #tokens: AccessTokens;
  readonly #requests = new RequestLog();
  readonly #agent: Agent;
  readonly #closing = new AbortController();
  readonly #listener: HttpsListener;
  readonly #expiryTimer: NodeJS.Timeout;
  #changes = 0;
  #seededUsers = 0;
  #closed: Promise<void> | undefined;

  /** All resources, by path. Its create, update and remove notify; seed does not. */
  readonly resources: ResourceStore;
  /** Writes events into the users' calendars, as POST, PATCH and DELETE do. */
  readonly calendar: Calendar;
  readonly subscriptions: SubscriptionStore;
  readonly faults = new Faults();
  readonly notifier: Notifier;
  readonly changeLog: ChangeLog;
  readonly life: CalendarLife;

  /** Starts listening. @throws where the port is taken or the change log cannot be written */
  static async start(options: GraphSimulatorOptions = {}): Promise<GraphSimulator> {
    const settings = simulatorSettings(options);
    const names = new Set(['localhost', '127.0.0.1', '::1', ...settings.hostNames]);
    const certificate = await makeCertificate([...names]);
    const simulator = new GraphSimulator(settings, certificate);
    try {
      await simulator.#open();
    } catch (cause) {
      await simulator.close();
      throw cause;
    }
    return simulator;
  }

  private constructor(settings: SimulatorSettings, certificate: ServerCertificate) {
    const { now } = settings;
    this.#settings = settings;
    this.#certificate = certificate;
    this.#random = seededRandom(settings.seed);
    this.#agent = new Agent(
      settings.notificationCa === undefined ? {} : { connect: { ca: settings.notificationCa } },
    );
    this.changeLog = new ChangeLog({
      file: settings.changeLogFile,
      keepEntries: settings.changeLogKeepEntries,
    });
    const ids = createItemIds(settings.instance, seededRandom(settings.seed + 1));
    this.resources = new ResourceStore({ ids, now, onChange: (change) => this.#noteChange(change) });
    this.#directory = new UserDirectory(this.resources);
    this.calendar = createCalendar({ resources: this.resources, directory: this.#directory, ids });
    this.subscriptions = this.#createSubscriptions();
    this.notifier = this.#createNotifier();
    this.life = this.#createLife();
    this.#tokens = this.#createTokens();
    this.#listener = this.#createListener();
    this.#expiryTimer = setInterval(() => this.subscriptions.expireDue(), EXPIRY_CHECK_MS);
    this.#usersFor(settings.users);
  }

  /** "https://127.0.0.1:{port}": Graph is at `${url}/v1.0`, the login authority at `${url}`. */
  get url(): string {
    return this.#listener.url;
  }

  /** PEM, for a client's `ca` or NODE_EXTRA_CA_CERTS. */
  get caCertificate(): string {
    return this.#certificate.caCert;
  }

  get tenantId(): string {
    return this.#settings.tenantId;
  }

  get clientId(): string {
    return this.#settings.clientId;
  }

  get clientSecret(): string {
    return this.#settings.clientSecret;
  }

  /** The newest calls under /v1.0 and of the login authority, up to 10,000. */
  get requests(): readonly LoggedRequest[] {
    return this.#requests.requests;
  }

  users(): DirectoryUser[] {
    return this.#directory.users();
  }

  /** Makes users until there are so many, and gives the first so many. */
  seedUsers(count: number): readonly DirectoryUser[] {
    return this.#usersFor(count);
  }

  /** Puts any resource under its path ("chats/{id}/messages/{id}") as if it had always been there. */
  seed(path: string, body: JsonObject): StoredResource {
    return this.resources.seed(path, body);
  }

  /** A further app with its own subscriptions, in this tenant unless another is named. */
  addApplication(application: Omit<Application, 'tenantId'> & { readonly tenantId?: string }): void {
    this.#tokens.register({
      ...application,
      tenantId: (application.tenantId ?? this.tenantId).toLowerCase(),
    });
  }

  /** Every access token issued so far is refused from now on. */
  revokeTokens(): void {
    this.#tokens.revokeAll();
  }

  /**
   * The most calls under /v1.0 that were ever under way at once for a mailbox, chat or team ("users/{id}", or any
   * path below it), or for all together. A call counts until its answer is handed to the socket.
   */
  maxConcurrent(prefix?: string): number {
    if (prefix === undefined) return this.#requests.maxConcurrent();
    const path = parseResourcePath(prefix.replace(/^\/?v1\.0\//, ''));
    return this.#requests.maxConcurrent(ownerKey(this.#directory.resolve(path)));
  }

  state(): SimulatorState {
    return {
      changes: this.#changes,
      resources: this.resources.size,
      subscriptions: this.subscriptions.size,
      lifeRunning: this.life.isRunning,
      notifications: this.notifier.counters,
    };
  }

  /** Stops the life, cuts off deliveries and connections, writes out the change log. Safe to call twice. */
  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(): Promise<void> {
    await this.changeLog.opened();
    await this.#listener.listen(this.#settings.host, this.#settings.port);
  }

  async #shutDown(): Promise<void> {
    this.life.stop();
    clearInterval(this.#expiryTimer);
    this.notifier.close();
    this.#closing.abort();
    await this.#listener.close();
    await this.#agent.destroy();
    await this.changeLog.close();
  }

  #createSubscriptions(): SubscriptionStore {
    const { now } = this.#settings;
    return new SubscriptionStore({
      now,
      onAction: (action, { id, target, expiresAtMs }) => {
        const expirationDateTime = graphDateTime(expiresAtMs);
        this.changeLog.append({
          kind: 'subscription',
          at: now(),
          action,
          id,
          resource: target,
          expirationDateTime,
        });
      },
    });
  }

  #createNotifier(): Notifier {
    const { now, delivery } = this.#settings;
    const jitter = seededRandom(this.#settings.seed + 2);
    return new Notifier({
      settings: delivery,
      faults: this.faults,
      now,
      random: () => jitter.next(),
      post: createPoster(this.#agent, now),
      isWanted: ({ subscriptionId }) => this.subscriptions.get(subscriptionId) !== undefined,
      onAttempt: (attempt) => this.changeLog.append(deliveryEntry(attempt)),
    });
  }

  #createLife(): CalendarLife {
    return new CalendarLife({
      calendar: this.calendar,
      resources: this.resources,
      usersFor: (count) => this.#usersFor(count),
      now: this.#settings.now,
      monotonicMs: () => performance.now(),
      seed: this.#settings.seed,
    });
  }

  #createTokens(): AccessTokens {
    const { now, tokenLifetimeSeconds: lifetimeSeconds, tenantId, clientId, clientSecret } = this.#settings;
    const tokens = new AccessTokens({ now, lifetimeSeconds, issuer: () => this.url });
    tokens.register({ tenantId, clientId, clientSecret });
    return tokens;
  }

  #createListener(): HttpsListener {
    const { now, graphLatencyMs: latencyMs } = this.#settings;
    const app = createHttpApp({
      graphApi: this.#createGraphApi(),
      tokens: this.#tokens,
      tokenEndpoint: createTokenEndpoint({ tokens: this.#tokens, now, idsOf }),
      controlApi: createControlApi({
        life: this.life,
        resources: this.resources,
        directory: this.#directory,
        state: () => this.state(),
      }),
      faults: this.faults,
      log: this.#requests,
      describe: (path) => this.#describe(path),
      onRead: (entry) => this.changeLog.append(entry),
      now,
      latencyMs,
      closing: this.#closing.signal,
    });
    return new HttpsListener(this.#certificate, app);
  }

  #createGraphApi(): ReturnType<typeof createGraphApi> {
    const { now, allowHttpNotificationUrls, subscriptionsPageSize, handshakeTimeoutMs } = this.#settings;
    const resourcesApi = createResourcesApi({
      resources: this.resources,
      directory: this.#directory,
      calendar: this.calendar,
      now,
    });
    const subscriptionsApi = createSubscriptionsApi({
      subscriptions: this.subscriptions,
      now,
      allowHttpNotificationUrls,
      pageSize: subscriptionsPageSize,
      resolve: (path) => this.#directory.resolve(path),
      validateEndpoint: (url) =>
        validateEndpoint(url, { dispatcher: this.#agent, timeoutMs: handshakeTimeoutMs }),
    });
    return createGraphApi({ subscriptionsApi, resourcesApi });
  }

  #usersFor(count: number | undefined): readonly DirectoryUser[] {
    const wanted = count ?? this.#directory.users().length;
    while (this.#seededUsers < wanted) {
      this.#seededUsers += 1;
      const body = seedUser(this.#random, this.#seededUsers);
      this.resources.seed(`users/${body.id}`, body);
    }
    return this.#directory.users().slice(0, wanted);
  }

  #describe(text: string): CallSubject {
    let path: ResourcePath;
    try {
      path = this.#directory.resolve(parseResourcePath(text));
    } catch (cause) {
      if (cause instanceof ResourcePathError) return { owner: 'none', resource: undefined };
      throw cause;
    }
    const isSubscription = path.segments[0]?.word === 'subscriptions';
    return {
      owner: ownerKey(path),
      resource: isSubscription ? undefined : readTarget(path, this.#directory),
    };
  }

  #noteChange(change: ResourceChange): void {
    const { resource } = change;
    this.#changes += 1;
    if (resource.path.words === 'users') this.#directory.learn(resource.body);
    announceChange(this, change);
  }
}
