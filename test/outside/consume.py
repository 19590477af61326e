"""All records of a topic, from its beginning to its end as of the call, with confluent-kafka."""

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

TIMEOUT_SECONDS = 30


def consume(brokers, topic):
    """Yields confluent_kafka.Message, each partition in its order."""
    consumer = Consumer(
        {"bootstrap.servers": brokers, "group.id": "outside-readers", "enable.auto.commit": False}
    )
    try:
        partitions = consumer.list_topics(topic, TIMEOUT_SECONDS).topics[topic].partitions
        ends = {}
        for number in partitions:
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, number), TIMEOUT_SECONDS)
            if end > 0:
                ends[number] = end
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in ends])
        while ends:
            message = consumer.poll(TIMEOUT_SECONDS)
            if message is None:
                raise TimeoutError(f"nothing came within {TIMEOUT_SECONDS} s")
            if message.error():
                raise RuntimeError(str(message.error()))
            if message.offset() + 1 >= ends.get(message.partition(), 0):
                ends.pop(message.partition(), None)
            yield message
    finally:
        consumer.close()


def text(data):
    return None if data is None else data.decode()


def record_of(message):
    """What every reader of a topic sees."""
    return {
        "partition": message.partition(),
        "offset": message.offset(),
        "key": text(message.key()),
        "value": text(message.value()),
        "headers": {name: text(value) for name, value in message.headers() or []},
    }
