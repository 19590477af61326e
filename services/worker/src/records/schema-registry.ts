/**
 * The schemas of the records in a schema registry: which schema has which subject, and the id of its schema in front
 * of each value (magic byte 0, four bytes of id), as the deserializers of Kafka's world expect it. The registry is
 * asked once, at the start: that it is away later stops no record.
 */
import type { RecordEvent } from './cloud-event.ts';
import type { RecordMode } from './encode-record.ts';
import { recordSchemas } from './record-schemas.ts';
import type { FindSchemaId } from './registry-client.ts';

export type SchemaRegistry = {
  /**
   * Registers or finds the schemas of all records that these topics may hold; may be repeated after an error. Rejects
   * with a `SchemaRefusedError` where the operator has to mend it.
   */
  learn(topics: {
    readonly records: readonly string[];
    readonly deadLetters: readonly string[];
  }): Promise<void>;
  /** The value as it goes to Kafka. Throws for a topic that was not learnt. */
  frame(topic: string, event: RecordEvent, value: string): Buffer;
};

const MAGIC_BYTE = 0;
const PREFIX_BYTES = 5;

export function createSchemaRegistry(mode: RecordMode, findId: FindSchemaId): SchemaRegistry {
  const schemas = schemasForRegistry();
  const ids = new Map<string, number>();

  const learnOne = async (subject: string, name: string): Promise<void> => {
    const schema = schemas.get(name);
    if (schema === undefined || ids.has(subject)) return;
    ids.set(subject, await findId(subject, schema));
  };

  return {
    async learn({ records, deadLetters }) {
      if (mode === 'structured') {
        for (const topic of new Set(records)) await learnOne(`${topic}-value`, 'change-record');
        for (const topic of new Set(deadLetters)) await learnOne(`${topic}-value`, 'dead-letter-record');
        return;
      }
      for (const name of schemas.keys()) {
        if (!WHOLE_EVENTS.includes(name)) await learnOne(recordName(name), name);
      }
    },
    frame(topic, event, value) {
      const subject = mode === 'structured' ? `${topic}-value` : recordName(schemaNameOf(event));
      const id = ids.get(subject);
      if (id === undefined) throw new Error(`the schema of subject ${subject} was not asked for`);
      const framed = Buffer.allocUnsafe(PREFIX_BYTES + Buffer.byteLength(value));
      framed.writeUInt8(MAGIC_BYTE, 0);
      framed.writeUInt32BE(id, 1);
      framed.write(value, PREFIX_BYTES);
      return framed;
    },
  };
}

/** Schemas of a value in structured mode; all others are of data, the value in binary mode. */
const WHOLE_EVENTS = ['change-record', 'dead-letter-record'];

/** `graph2kafka.DriveItem` for `drive-item`: what Confluent's RecordNameStrategy makes of the title. */
function recordName(schemaName: string): string {
  const words = schemaName.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `graph2kafka.${words.join('')}`;
}

/** `event` of `urn:graph2kafka:schema:event:v1`. */
function schemaNameOf({ dataschema }: RecordEvent): string {
  return dataschema?.split(':').at(-2) ?? '';
}

/** Draft 7, which every registry can compare. */
function schemasForRegistry(): Map<string, string> {
  const made = [...recordSchemas('draft-7')].map(([name, schema]): [string, string] => [
    name,
    JSON.stringify({ ...schema, title: recordName(name) }),
  ]);
  return new Map(made);
}
