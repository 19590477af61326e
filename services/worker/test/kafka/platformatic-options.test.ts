/** The options for @platformatic/kafka, and what its clients are kept from. */
import { Base } from '@platformatic/kafka';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { outliveLateErrors, platformaticOptions } from '../../src/kafka/platformatic-options.ts';
import { connectionTo } from '../support/publishers.ts';

describe('a connection', () => {
  it('that reports an error after its first one does not end the process', async () => {
    const options = platformaticOptions(connectionTo(inject('kafkaBrokers')));
    const client = outliveLateErrors(new Base(options));
    onTestFinished(() => client.close());
    await client.metadata({ topics: [] });
    const [[, connection] = []] = client.connections;
    connection?.emit('error', new Error('refused'));
    expect(connection?.emit('error', new Error('and hung up'))).toBe(true);
  });
});

describe('TLS', () => {
  it.each([
    ['kafka.example:9093', true],
    ['127.0.0.1:9093', false],
    ['[::1]:9093', false],
  ])('names the host %s: %s', (broker, named) => {
    const options = platformaticOptions({ ...connectionTo(broker), tls: {} });
    expect(options.tlsServerName).toBe(named);
  });
});
