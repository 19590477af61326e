/** How the brokers are reached, in one form for both clients. */

export type Sasl =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: 'OAUTHBEARER';
      /** A token that is still valid; asked for at every sign-in. */
      readonly token: () => Promise<string>;
    };

export type Tls = {
  /** PEM; absent: the authorities that Node trusts. */
  readonly ca?: string;
  /** PEM of our own certificate and its key, where the brokers ask for one. */
  readonly cert?: string;
  readonly key?: string;
};

export type KafkaConnection = {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls: Tls | undefined;
  readonly sasl: Sasl | undefined;
  /** For an answer to arrive; absent: `REQUEST_TIMEOUT_MS`. */
  readonly requestTimeoutMs?: number;
  /** After this long brokers and partitions are asked for again. */
  readonly metadataMaxAgeMs: number;
  /** Left unused for this long a connection is not trusted any more; undefined: for ever. */
  readonly connectionsMaxIdleMs: number | undefined;
};

/** A broker on another continent has answered by then. */
export const CONNECT_TIMEOUT_MS = 3000;
/** Longer than a leader waits for its replicas (`replica.lag.time.max.ms` is 30 s, mostly over in one). */
export const REQUEST_TIMEOUT_MS = 10_000;
