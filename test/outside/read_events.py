"""Reads a topic as CloudEvents, holds them against docs/schemas, and writes a line of JSON for each record.

Usage: read_events.py BROKERS TOPIC FOLDER_OF_SCHEMAS
"""

import json
import pathlib
import sys

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, from_structured_event
from consume import consume, record_of
from jsonschema import Draft202012Validator


def validators_in(folder):
    schemas = [json.loads(file.read_text()) for file in pathlib.Path(folder).glob("*.json")]
    return {schema["$id"]: Draft202012Validator(schema) for schema in schemas}


def event_of(message):
    """The content type tells the mode, as the Kafka protocol binding says (section 3)."""
    headers = dict(message.headers() or [])
    kafka_message = KafkaMessage(headers=headers, key=message.key(), value=message.value())
    is_structured = headers["content-type"].startswith(b"application/cloudevents")
    return from_structured_event(kafka_message) if is_structured else from_binary_event(kafka_message)


def described(event):
    attributes = event.get_attributes()
    return {**attributes, "time": attributes["time"].isoformat(), "data": event.get_data()}


def problems_of(event, value, validators):
    """What breaks a schema: of the data always, of the event around it where the value is the whole event."""
    attributes = event.get_attributes()
    checks = [(attributes["dataschema"], event.get_data())]
    if "specversion" in value:
        is_dead_letter = attributes["type"] == "graph2kafka.DeadLetter"
        around = "dead-letter-record" if is_dead_letter else "change-record"
        checks.append((f"urn:graph2kafka:schema:{around}:v1", value))
    return [
        f"{schema} {error.json_path} {error.message}"
        for schema, instance in checks
        for error in validators[schema].iter_errors(instance)
    ]


def main(brokers, topic, folder):
    validators = validators_in(folder)
    for message in consume(brokers, topic):
        line = record_of(message)
        if message.value() is not None:
            event = event_of(message)
            line["event"] = described(event)
            line["problems"] = problems_of(event, json.loads(message.value()), validators)
        print(json.dumps(line))


main(*sys.argv[1:])
