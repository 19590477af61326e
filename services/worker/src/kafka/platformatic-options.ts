/** The connection in the words of @platformatic/kafka. */
import { isIP } from 'node:net';
import type { Base, BaseOptions } from '@platformatic/kafka';
import { CONNECT_TIMEOUT_MS, type KafkaConnection, REQUEST_TIMEOUT_MS } from './kafka-connection.ts';

export function platformaticOptions(connection: KafkaConnection): BaseOptions {
  const { tls, sasl, requestTimeoutMs = REQUEST_TIMEOUT_MS } = connection;
  return {
    clientId: connection.clientId,
    bootstrapBrokers: [...connection.brokers],
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: requestTimeoutMs,
    timeout: requestTimeoutMs,
    // One more try goes to another broker; what is to be tried for longer is decided by the caller.
    retries: 1,
    retryDelay: 100,
    metadataMaxAge: connection.metadataMaxAgeMs,
    autocreateTopics: false,
    ...(tls ? { tls: { ...tls }, tlsServerName: hasHostName(connection) } : {}),
    ...(sasl ? { sasl } : {}),
  };
}

/**
 * A connection may report a second error when the first has already been dealt with (a refused sign-in, then the
 * broker hangs up); nobody listens any more, and Node would end the process for it.
 */
export function outliveLateErrors<Client extends Base<BaseOptions>>(client: Client): Client {
  client.connections.on('connecting', ({ connection }) => connection.on('error', () => undefined));
  return client;
}

/** TLS may name the host that it wants (managed brokers share an address); an address it may not. */
function hasHostName({ brokers: [first = ''] }: KafkaConnection): boolean {
  return isIP(first.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')) === 0;
}
