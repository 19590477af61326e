"""Reads a topic with the JSON deserializer of Confluent's client, and writes a line of JSON for each record.

The deserializer takes the schema's id off the value, fetches the schema and validates the value with it.
Usage: read_with_registry.py BROKERS TOPIC REGISTRY_URL TOPIC|RECORD
"""

import json
import sys

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from consume import consume, text


def main(brokers, topic, registry_url, strategy):
    registry = SchemaRegistryClient({"url": registry_url})
    # Without a strategy the client asks for "associations", which only Confluent's own registry has.
    conf = {"subject.name.strategy.type": strategy}
    deserialize = JSONDeserializer(None, schema_registry_client=registry, conf=conf)
    for message in consume(brokers, topic):
        context = SerializationContext(topic, MessageField.VALUE, message.headers())
        value = deserialize(message.value(), context)
        print(json.dumps({"key": text(message.key()), "value": value}))


main(*sys.argv[1:])
