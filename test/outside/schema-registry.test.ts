/** Values with the id of their schema, against a real registry (Apicurio) and read with Confluent's own client. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTopic, programVersion, readTopic, startSchemaRegistry } from '@graph2kafka/test-harness';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { makeEvent } from '../../services/worker/src/records/cloud-event.ts';
import { createFindSchemaId, SchemaRefusedError } from '../../services/worker/src/records/registry-client.ts';
import { createSchemaRegistry } from '../../services/worker/src/records/schema-registry.ts';
import { startPipeline } from '../support/pipeline.ts';
import { startWithAllKindsOfNews } from './all-kinds-of-news.ts';
import { ensurePython, hasPython, runPython } from './python.ts';

const canRun = (await hasPython()) && (await programVersion('java', ['-version'])) !== undefined;

const event = makeEvent({
  origin: { tenantId: 'tenant', clientId: 'client' },
  id: 'id-1',
  type: 'Microsoft.Graph.EventUpdated',
  subject: 'Users/u/Events/e',
  time: 0,
  schema: 'event',
  attributes: {},
  data: {},
});

async function asked(url: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    ...(body === undefined ? {} : { method: path.startsWith('/config') ? 'PUT' : 'POST' }),
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/**
 * In front of the registry, which itself takes everybody and is never busy: asks for a user, keeps what it was asked,
 * and answers 503 as often as it is told.
 */
async function startGuard(registryUrl: string, login: string, busyTimes = 0) {
  const seen: string[] = [];
  const server = createServer(async (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (seen.length <= busyTimes) {
      response.writeHead(503).end();
      return;
    }
    if (request.headers.authorization !== `Basic ${Buffer.from(login).toString('base64')}`) {
      response.writeHead(401).end('{"error_code":401,"message":"who are you?"}');
      return;
    }
    const body = await Array.fromAsync(request);
    const answer = await fetch(`${registryUrl}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { 'content-type': request.headers['content-type'] ?? '' },
      body: Buffer.concat(body),
    });
    response.writeHead(answer.status).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

describe.skipIf(!canRun)('a schema registry (skipped where Java, or python3 with venv, is missing)', () => {
  let registry: Awaited<ReturnType<typeof startSchemaRegistry>>;
  beforeAll(async () => {
    await ensurePython();
    registry = await startSchemaRegistry((text) => process.stdout.write(`${text}\n`));
  }, 600_000);
  afterAll(() => registry?.stop());

  const topics = () => ({ records: [`t${randomUUID()}`], deadLetters: [`t${randomUUID()}`] });
  const findIn = (register: boolean, url = registry.url) =>
    createFindSchemaId({ url, login: undefined, register });

  it('gets the schema of whole events under the name of each topic, once', async () => {
    const { records, deadLetters } = topics();
    const { url, seen } = await startGuard(registry.url, 'worker:secret');
    const login = { user: 'worker', password: 'secret' };
    const schemas = createSchemaRegistry('structured', createFindSchemaId({ url, login, register: true }));
    await schemas.learn({ records, deadLetters });
    await schemas.learn({ records, deadLetters });
    expect(seen).toEqual([
      `POST /subjects/${records[0]}-value/versions`,
      `POST /subjects/${deadLetters[0]}-value/versions`,
    ]);
    const framed = schemas.frame(records[0] ?? '', event, '{"é":1}');
    expect(framed[0]).toBe(0);
    expect(framed.subarray(5).toString()).toBe('{"é":1}');
    const { schema } = (await asked(registry.url, `/schemas/ids/${framed.readUInt32BE(1)}`)) as {
      schema: string;
    };
    expect(JSON.parse(schema)).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'graph2kafka.ChangeRecord',
      required: expect.arrayContaining(['id', 'source', 'acquisition', 'data']),
    });
  });

  it('gets the schema of each kind of data under its own name in binary mode', async () => {
    const schemas = createSchemaRegistry('binary', findIn(true));
    await schemas.learn(topics());
    const subjects = await asked(registry.url, '/subjects');
    expect(subjects).toEqual(
      expect.arrayContaining(
        ['Event', 'DriveItem', 'Deleted', 'DeadLetter'].map((name) => `graph2kafka.${name}`),
      ),
    );
    const id = schemas.frame('any-topic', event, '{}').readUInt32BE(1);
    expect(await asked(registry.url, `/schemas/ids/${id}`)).toMatchObject({
      schema: expect.stringContaining('"title":"graph2kafka.Event"'),
    });
  });

  it('that lacks a schema is an error where none may be registered, and is enough where it has all', async () => {
    const wanted = topics();
    const refusal = createSchemaRegistry('structured', findIn(false)).learn(wanted);
    await expect(refusal).rejects.toBeInstanceOf(SchemaRefusedError);
    await expect(refusal).rejects.toThrow(
      `subject ${wanted.records[0]}-value: the schema registry answers 404`,
    );
    await createSchemaRegistry('structured', findIn(true)).learn(wanted);
    await createSchemaRegistry('structured', findIn(false)).learn(wanted);
  });

  it('that holds an incompatible schema is an error, and keeps its own', async () => {
    const wanted = topics();
    const subject = `${wanted.records[0]}-value`;
    const other = '{"type":"object","properties":{"id":{"type":"integer"}},"additionalProperties":false}';
    await asked(registry.url, `/subjects/${subject}/versions`, { schemaType: 'JSON', schema: other });
    await asked(registry.url, `/config/${subject}`, { compatibility: 'FULL' });
    const refusal = createSchemaRegistry('structured', findIn(true)).learn(wanted);
    await expect(refusal).rejects.toBeInstanceOf(SchemaRefusedError);
    await expect(refusal).rejects.toThrow(/409.*[Ii]ncompatible/);
    expect(await asked(registry.url, `/subjects/${subject}/versions`)).toEqual([1]);
  });

  it('that does not let us in is an error without the password', async () => {
    const { url } = await startGuard(registry.url, 'worker:secret');
    const login = { user: 'worker', password: 'PLANTED' };
    const find = createFindSchemaId({ url, login, register: true });
    const refusal: unknown = await find('subject', '{}').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(SchemaRefusedError);
    expect(String(refusal)).toMatch(/401: who are you\?/);
    expect(JSON.stringify([String(refusal), refusal])).not.toContain('PLANTED');
  });

  it('that is away is no error of the operator', async () => {
    const away = createSchemaRegistry('structured', findIn(true, 'http://127.0.0.1:9'));
    const failure: unknown = await away.learn(topics()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(SchemaRefusedError);
  });

  it.each(['FORWARD', 'BACKWARD'])(
    'at the level %s judges a further property as docs/records.md says',
    async (level) => {
      const subject = `t${randomUUID()}-value`;
      const schemaOf = (properties: Record<string, unknown>) =>
        JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', properties });
      const publish = (properties: Record<string, unknown>) =>
        asked(registry.url, `/subjects/${subject}/versions`, {
          schemaType: 'JSON',
          schema: schemaOf(properties),
        });
      await publish({ id: { type: 'string' } });
      await asked(registry.url, `/config/${subject}`, { compatibility: level });
      const further = publish({ id: { type: 'string' }, more: { type: 'string' } });
      await (level === 'FORWARD'
        ? expect(further).resolves.toBeDefined()
        : expect(further).rejects.toThrow(/409/));
    },
  );

  it("that gives no answer yet is waited for; then Confluent's client reads and validates all", async () => {
    const { url, seen } = await startGuard(registry.url, 'worker:PLANTED', 1);
    const { pipeline, changed, refused, notUnderstood } = await startWithAllKindsOfNews({
      KAFKA_SCHEMA_REGISTRY_URL: url,
      KAFKA_SCHEMA_REGISTRY_USER: 'worker',
      KAFKA_SCHEMA_REGISTRY_PASSWORD: 'PLANTED',
    });
    const { brokers, topic, deadLetterTopic } = pipeline.stack;
    const registered = (name: string) => `POST /subjects/${name}-value/versions`;
    expect(seen).toEqual([registered(topic), registered(topic), registered(deadLetterTopic)]);
    expect(pipeline.log.filter((line) => line.includes('schema-registry.not-reachable'))).toHaveLength(1);
    expect(pipeline.log.join('\n')).not.toContain('PLANTED');
    const records = await runPython('read_with_registry.py', brokers, topic, registry.url, 'TOPIC');
    expect(records).toHaveLength((await readTopic({ brokers, topic })).length);
    expect(records).toEqual(
      expect.arrayContaining([
        { key: changed, value: expect.objectContaining({ acquisition: 'fetched', specversion: '1.0' }) },
        { key: refused, value: expect.objectContaining({ acquisition: 'notification' }) },
        { key: expect.any(String), value: null },
      ]),
    );
    const letters = await runPython('read_with_registry.py', brokers, deadLetterTopic, registry.url, 'TOPIC');
    expect(letters).toContainEqual({
      key: expect.any(String),
      value: expect.objectContaining({
        type: 'graph2kafka.DeadLetter',
        data: expect.objectContaining({ notification: expect.objectContaining({ resource: notUnderstood }) }),
      }),
    });
  }, 90_000);

  it("lets Confluent's client read and validate data alone, each by its own schema", async () => {
    const { pipeline, changed, deleted } = await startWithAllKindsOfNews({
      KAFKA_SCHEMA_REGISTRY_URL: registry.url,
      KAFKA_RECORD_MODE: 'binary',
    });
    const { brokers, topic } = pipeline.stack;
    const records = await runPython('read_with_registry.py', brokers, topic, registry.url, 'RECORD');
    expect(records).toEqual(
      expect.arrayContaining([
        { key: changed, value: expect.objectContaining({ subject: 'Réunion déplacée' }) },
        { key: deleted, value: expect.objectContaining({ '@removed': { reason: 'deleted' } }) },
      ]),
    );
  }, 90_000);

  it('that refuses a schema keeps the worker from starting, with the reason', async () => {
    const topic = `t${randomUUID()}`;
    const deadLetterTopic = `${topic}.dlq`;
    for (const name of [topic, deadLetterTopic]) await createTopic(inject('kafkaBrokers'), name);
    const starting = startPipeline({
      worker: {
        KAFKA_TOPIC: topic,
        KAFKA_DEAD_LETTER_TOPIC: deadLetterTopic,
        KAFKA_SCHEMA_REGISTRY_URL: registry.url,
        KAFKA_SCHEMA_REGISTRY_REGISTER: 'false',
      },
    });
    await expect(starting).rejects.toThrow(
      new RegExp(`subject ${topic}-value: the schema registry answers 404`),
    );
  });
});
