// Microsoft Graph on this machine: puts the parts together and gives them one life from start to close.
import { Agent } from 'undici';
import { AccessTokens, type Application } from './access-tokens.ts';
import { announceChange } from './announce-changes.ts';
import { createBatchApi } from './batch-api.ts';
import type { Calendar } from './calendar.ts';
import type { CalendarLife } from './calendar-life.ts';
import { makeCertificate, type ServerCertificate } from './certificate.ts';
import { ChangeLog } from './change-log.ts';
import { checkConsent } from './consent.ts';
import { createControlApi, type SimulatorState } from './control-api.ts';
import { deliveryEntry } from './delivery-entry.ts';
import type { DeltaApi } from './delta-api.ts';
import type { DirectoryObjects } from './directory-objects.ts';
import { FaultScriptRunner } from './fault-script.ts';
import { Faults } from './faults.ts';
import { forgedBody } from './forged-notification.ts';
import { createGraphApi } from './graph-api.ts';
import type { CallSubject, GraphCallsDeps } from './graph-calls.ts';
import type { JsonObject } from './graph-exchange.ts';
import { graphDateTime } from './graph-time.ts';
import { createHttpApp, idsOf } from './http-app.ts';
import { HttpsListener } from './https-listener.ts';
import { ItemIdForms } from './item-id-forms.ts';
import type { Items } from './items.ts';
import { isRemoval } from './lifecycle-item.ts';
import { LifecycleNotifications } from './lifecycle-notifications.ts';
import { notificationBody } from './notification-body.ts';
import { Notifier } from './notifier.ts';
import { createPoster } from './post-notifications.ts';
import { createRequestLimits } from './request-limits.ts';
import { type LoggedRequest, RequestLog } from './request-log.ts';
import { ownerKey, parseResourcePath, type ResourcePath, ResourcePathError } from './resource-path.ts';
import type { ResourceChange, ResourceStore, StoredResource } from './resource-store.ts';
import { createResourcesApi, readTarget } from './resources-api.ts';
import { createRetryAfter } from './retry-after.ts';
import { seededRandom } from './seeded-random.ts';
import { type Clock, SimulatorClock } from './simulator-clock.ts';
import {
  type GraphSimulatorOptions,
  type SimulatorSettings,
  simulatorSettings,
  type TenantOptions,
} from './simulator-options.ts';
import { skewedClock } from './skewed-clock.ts';
import { SubscriptionStore } from './subscription-store.ts';
import { createSubscriptionThrottle } from './subscription-throttling.ts';
import { createSubscriptionsApi } from './subscriptions-api.ts';
import { type HeldTenant, type SimulatedTenant, Tenants } from './tenants.ts';
import { createTokenEndpoint } from './token-endpoint.ts';
import type { DirectoryUser } from './user-directory.ts';
import { validateEndpoint } from './validation-handshake.ts';
import { ValidationKeys } from './validation-keys.ts';
import { issuerFor, ValidationTokens } from './validation-tokens.ts';

export class GraphSimulator implements AsyncDisposable {
  readonly #settings: SimulatorSettings;
  readonly #certificate: ServerCertificate;
  readonly #tenants: Tenants;
  readonly #home: HeldTenant;
  readonly #retryAfter: (waitMs: number) => Readonly<Record<string, string>>;
  readonly #tokens: AccessTokens;
  readonly #requests = new RequestLog();
  /** What Graph takes for now, in tokens and in all that has to do with subscriptions. */
  readonly #graphClock: Clock;
  readonly #agent: Agent;
  readonly #closing = new AbortController();
  readonly #listener: HttpsListener;
  #changes = 0;
  #closed: Promise<void> | undefined;

  /** Ordinary and immutable ids of Outlook's items. */
  readonly idForms = new ItemIdForms();
  /** All resources of the first tenant, by path. Its create, update and remove notify; seed does not. */
  readonly resources: ResourceStore;
  /** Writes events into the users' calendars, as POST, PATCH and DELETE do. */
  readonly calendar: Calendar;
  /** Makes, alters, moves and removes items of every kind, with ids and bodies of Graph's form; notifies. */
  readonly items: Items;
  /** Soft deletion, restoring and membership of users and groups; notifies. */
  readonly directoryObjects: DirectoryObjects;
  /** Lets the tokens of delta queries expire. */
  readonly delta: Pick<DeltaApi, 'expireTokens'>;
  readonly subscriptions: SubscriptionStore;
  readonly faults: Faults;
  /** Inflicts faults at their times. */
  readonly faultScript: FaultScriptRunner;
  /** The tokens that go with resource data; their keys can be replaced. */
  readonly validationTokens: ValidationTokens;
  /** Lifecycle notifications: sent by themselves when it is time, and at once when they are asked for here. */
  readonly lifecycle: LifecycleNotifications;
  readonly notifier: Notifier;
  readonly changeLog: ChangeLog;
  readonly life: CalendarLife;
  /** All rules about time and all waiting follow it, the life of the calendars excepted; a test can move it on. */
  readonly clock: SimulatorClock;

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
    this.clock = new SimulatorClock(settings.now);
    const now = () => this.clock.now();
    this.#settings = { ...settings, now };
    this.#certificate = certificate;
    this.faults = new Faults({ now, seed: settings.seed + 3 });
    this.#graphClock = skewedClock(this.clock, () => this.faults.skewMs);
    this.faultScript = new FaultScriptRunner(this);
    this.validationTokens = this.#createValidationTokens();
    this.#agent = new Agent(
      settings.notificationCa === undefined ? {} : { connect: { ca: settings.notificationCa } },
    );
    this.changeLog = new ChangeLog({
      file: settings.changeLogFile,
      keepEntries: settings.changeLogKeepEntries,
    });
    this.#tenants = new Tenants({
      ...settings,
      now,
      idForms: this.idForms,
      onChange: (tenant, change) => this.#noteChange(tenant, change),
    });
    this.#home = this.#tenants.add(settings.tenantId);
    const { resources, calendar, items, directoryObjects, delta, life } = this.#home;
    this.resources = resources;
    this.calendar = calendar;
    this.items = items;
    this.directoryObjects = directoryObjects;
    this.delta = delta;
    this.life = life;
    this.#retryAfter = createRetryAfter({
      form: settings.retryAfter,
      random: seededRandom(settings.seed + 5),
      now: this.#graphClock.now,
    });
    this.subscriptions = this.#createSubscriptions();
    this.notifier = this.#createNotifier();
    this.lifecycle = new LifecycleNotifications({
      settings: settings.lifecycle,
      subscriptions: this.subscriptions,
      clock: this.#graphClock,
      send: (item) => this.notifier.notifyLifecycle(item),
      release: (subscriptionId) => this.notifier.release(subscriptionId),
    });
    this.#tokens = this.#createTokens();
    this.#listener = this.#createListener();
    this.#home.seedUsers(settings.users);
    for (const one of settings.tenants) this.#addTenant(one);
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
    return this.#home.users();
  }

  /** Makes users until there are so many, and gives the first so many. */
  seedUsers(count: number): readonly DirectoryUser[] {
    return this.#home.seedUsers(count);
  }

  /** Puts any resource under its path ("chats/{id}/messages/{id}") as if it had always been there. */
  seed(path: string, body: JsonObject): StoredResource {
    return this.resources.seed(path, body);
  }

  /**
   * A further app with its own subscriptions, in this tenant unless another is named. One that is not there yet is made,
   * without users.
   */
  addApplication(application: Omit<Application, 'tenantId'> & { readonly tenantId?: string }): void {
    const { tenantId } = this.#tenants.add(application.tenantId ?? this.tenantId);
    this.#tokens.register({ ...application, tenantId });
  }

  /** Each tenant, the first one first. */
  tenants(): readonly SimulatedTenant[] {
    return this.#tenants.all();
  }

  /** What the tenant holds; the properties of the simulator itself are those of the first. @throws for an unknown id */
  tenant(tenantId: string): SimulatedTenant {
    const found = this.#tenants.find(tenantId);
    if (found === undefined) throw new RangeError(`There is no tenant ${tenantId}.`);
    return found;
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
    return this.#requests.maxConcurrent(ownerKey(this.#home.data.resolve(path)));
  }

  state(): SimulatorState {
    return {
      changes: this.#changes,
      resources: this.#tenants.all().reduce((sum, { resources }) => sum + resources.size, 0),
      subscriptions: this.subscriptions.size,
      lifeRunning: this.life.isRunning,
      notifications: this.notifier.counters,
      endpoints: this.notifier.endpoints(),
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
    for (const { life } of this.#tenants.all()) life.stop();
    this.faultScript.stop();
    this.subscriptions.close();
    this.lifecycle.close();
    this.notifier.close();
    this.#closing.abort();
    this.clock.close();
    await this.#listener.close();
    await this.#agent.destroy();
    await this.changeLog.close();
  }

  #createValidationTokens(): ValidationTokens {
    const { validationTokenVersion: version, validationIssuer: issuer } = this.#settings;
    const keys = new ValidationKeys();
    return new ValidationTokens({ version, issuer, keys, now: this.#graphClock.now });
  }

  #createSubscriptions(): SubscriptionStore {
    const { now } = this.#settings;
    return new SubscriptionStore({
      clock: this.#graphClock,
      onAction: (action, subscription) => {
        const { id, tenantId, target, expiresAtMs } = subscription;
        const expirationDateTime = graphDateTime(expiresAtMs);
        this.changeLog.append({
          kind: 'subscription',
          at: now(),
          action,
          id,
          tenantId,
          resource: target,
          expirationDateTime,
        });
        this.lifecycle.note(action, subscription);
      },
    });
  }

  #createNotifier(): Notifier {
    const { delivery, lifecycle } = this.#settings;
    const jitter = seededRandom(this.#settings.seed + 2);
    return new Notifier({
      settings: delivery,
      faults: this.faults,
      clock: this.clock,
      random: () => jitter.next(),
      post: createPoster(this.#agent, this.clock),
      bodyOf: (items) => notificationBody(items, this.validationTokens),
      forgedBodyOf: (item, forgery) => forgedBody(item, forgery, this.validationTokens),
      isWanted: (item) => isRemoval(item) || this.subscriptions.get(item.subscriptionId) !== undefined,
      pauseOf: ({ subscriptionId }) =>
        this.lifecycle.isPaused(subscriptionId) ? lifecycle.whilePaused : 'none',
      onAttempt: (attempt) => this.changeLog.append(deliveryEntry(attempt)),
      onLost: (items) => {
        const ids = new Set(items.map(({ subscriptionId }) => subscriptionId));
        for (const id of ids) this.lifecycle.noteLost(id);
      },
    });
  }

  #createTokens(): AccessTokens {
    const { tokenLifetimeSeconds: lifetimeSeconds, tenantId, clientId, clientSecret } = this.#settings;
    const { accessTokenIssuer, graphResource } = this.#settings;
    const { now } = this.#graphClock;
    const tokens = new AccessTokens({
      now,
      lifetimeSeconds,
      issuer: (tenant) => issuerFor(accessTokenIssuer ?? `${this.url}/{tenantid}/`, tenant),
      audience: graphResource ?? 'https://graph.microsoft.com',
    });
    tokens.register({ tenantId, clientId, clientSecret });
    return tokens;
  }

  #createListener(): HttpsListener {
    const { now } = this.#settings;
    const app = createHttpApp({
      ...this.#createCalls(),
      tokenEndpoint: createTokenEndpoint({
        tokens: this.#tokens,
        faults: this.faults,
        validationTokens: this.validationTokens,
        graphResource: this.#settings.graphResource,
        now,
        idsOf,
      }),
      controlApi: createControlApi({
        tenant: (tenantId) => this.#tenants.find(tenantId ?? this.tenantId),
        state: () => this.state(),
        faults: this.faults,
        faultScript: this.faultScript,
        clock: this.clock,
        subscriptions: this.subscriptions,
        lifecycle: this.lifecycle,
        endpoints: () => this.notifier.endpoints(),
        keys: this.validationTokens.keys,
      }),
      graphNow: this.#graphClock.now,
      loginHost: this.#settings.loginHost,
    });
    return new HttpsListener(this.#certificate, app);
  }

  #createCalls(): GraphCallsDeps {
    const { now, graphLatencyMs: latencyMs } = this.#settings;
    const calls: GraphCallsDeps = {
      graphApi: this.#createGraphApi(() => calls),
      tokens: this.#tokens,
      limits: createRequestLimits({
        limits: this.#settings.requestLimits,
        elapsed: () => this.clock.elapsed(),
        retryAfter: this.#retryAfter,
        tenantSize: (tenantId) => this.#tenantOf(tenantId).data.directory.size,
      }),
      retryAfter: this.#retryAfter,
      faults: this.faults,
      log: this.#requests,
      describe: (path, tenantId) => this.#describe(path, tenantId),
      onRead: (entry) => this.changeLog.append(entry),
      now,
      clock: this.clock,
      latencyMs,
      closing: this.#closing.signal,
    };
    return calls;
  }

  #createGraphApi(calls: () => GraphCallsDeps): ReturnType<typeof createGraphApi> {
    const { now, allowHttpNotificationUrls, subscriptionsPageSize, handshakeTimeoutMs } = this.#settings;
    const { subscriptionQuotas: quotas, subscriptionThrottling: limits } = this.#settings;
    const resourcesApi = createResourcesApi({
      dataOf: (tenantId) => this.#tenantOf(tenantId).data,
      idForms: this.idForms,
      now,
    });
    const batchApi = createBatchApi({ calls, random: seededRandom(this.#settings.seed + 6), now });
    const subscriptionsApi = createSubscriptionsApi({
      subscriptions: this.subscriptions,
      now: this.#graphClock.now,
      allowHttpNotificationUrls,
      pageSize: subscriptionsPageSize,
      quotas,
      throttle: createSubscriptionThrottle({
        limits,
        elapsed: () => this.clock.elapsed(),
        retryAfter: this.#retryAfter,
      }),
      resolve: (path, tenantId) => this.#tenantOf(tenantId).data.resolve(path),
      validateEndpoint: (url) =>
        validateEndpoint(url, {
          dispatcher: this.#agent,
          clock: this.clock,
          timeoutMs: handshakeTimeoutMs,
        }),
    });
    return createGraphApi({
      subscriptionsApi,
      resourcesApi,
      batchApi,
      checkConsent: (request, path) => checkConsent(this, request, path),
    });
  }

  #addTenant({ tenantId, users = 0, applications }: TenantOptions): void {
    this.#tenants.add(tenantId).seedUsers(users);
    for (const application of applications) this.addApplication({ ...application, tenantId });
  }

  /** Every app is in a tenant that is there, since it was made with it. */
  #tenantOf(tenantId: string): HeldTenant {
    return this.#tenants.find(tenantId) ?? this.#home;
  }

  #describe(text: string, tenantId: string): CallSubject {
    let path: ResourcePath;
    try {
      path = this.#tenantOf(tenantId).data.resolve(parseResourcePath(text));
    } catch (cause) {
      if (cause instanceof ResourcePathError) return { owner: 'none', resource: undefined, path: undefined };
      throw cause;
    }
    if (path.operation === '$batch') return { owner: undefined, resource: undefined, path };
    const isSubscription = path.segments[0]?.word === 'subscriptions';
    return { owner: ownerKey(path), resource: isSubscription ? undefined : readTarget(path), path };
  }

  #noteChange(tenant: HeldTenant, change: ResourceChange): void {
    this.#changes += 1;
    announceChange(this, tenant, change);
  }
}
