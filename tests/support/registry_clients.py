"""A bank's own producers and consumers, with the official serializers of the schema registry."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Producer

from app.adapters.schema_registry.registry_extra import require_extra
from app.adapters.schema_registry.wire_format import HEADER
from app.adapters.serde import protobuf_values
from app.adapters.serde.json_codec import encode_event
from app.domain.decision import Alert
from app.domain.transaction import Transaction
from app.local.state import Stack
from app.settings import RegistrySettings
from tests.support.deployment import Deployment
from tests.support.paths import REPOSITORY

require_extra("this test")

from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: E402  # warns unless the extra is imported before
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer  # noqa: E402
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer  # noqa: E402
from confluent_kafka.serialization import MessageField, SerializationContext  # noqa: E402

SCHEMAS = REPOSITORY / "docs" / "schemas"

REGISTRY_TIMEOUT_SECONDS = 3.0

Encode = Callable[[Transaction], tuple[bytes, list[tuple[str, bytes]]]]


@contextmanager
def deployed(stack: Stack, models: Path, directory: Path, **registry: Any) -> Iterator[Deployment]:
    deployment = Deployment(stack, directory, models, partitions=2)
    used = RegistrySettings(url=stack.registry_url, timeout_seconds=REGISTRY_TIMEOUT_SECONDS, **registry)
    deployment.settings = msgspec.structs.replace(deployment.settings, registry=used)
    try:
        yield deployment
    finally:
        deployment.clear_up()


class Clients:
    """A bank's own producers and consumers."""

    def __init__(self, deployment: Deployment) -> None:
        self.topics = deployment.settings.topics
        self.registry = SchemaRegistryClient({"url": deployment.settings.registry.url, "timeout": 60})
        self.registry._rest_client.session.headers["Connection"] = "close"  # the client never closes it
        # librdkafka's default is another partitioner.
        self._producer = Producer({"bootstrap.servers": deployment.servers, "partitioner": "murmur2_random"})

    def avro(self, text: str | None = None, topic: str | None = None) -> Encode:
        """Encode with the registered schema, or with ``text``, which is registered first."""
        published = (SCHEMAS / "payments.transactions.v1.avsc").read_text(encoding="utf-8")
        serialize = AvroSerializer(self.registry, text or published)
        return self._encode(lambda each: serialize(_plain(each), self._context(topic)))

    def rows(
        self, schema: dict[str, Any], field: MessageField = MessageField.VALUE
    ) -> Callable[[Any], bytes]:
        """Encode anything with a schema of Kafka Connect, as its Avro converter does."""
        serialize = AvroSerializer(self.registry, json.dumps(schema))
        context = SerializationContext(self.topics.transactions, field, [])
        return lambda value: bytes(serialize(value, context))

    def protobuf(self) -> Encode:
        """Encode under a separate subject, since a subject has one format."""
        kind: Any = protobuf_values.message_class(Transaction)
        serialize = ProtobufSerializer(kind, self.registry)
        return self._encode(lambda each: serialize(kind(**_plain(each)), self._context("protobuf-clients")))

    def in_header(self, encode: Encode) -> Encode:
        """Put the Avro schema id into the header, as other serializers do."""

        def moved(each: Transaction) -> tuple[bytes, list[tuple[str, bytes]]]:
            value, _ = encode(each)
            return value[5:], [(HEADER, value[:5])]

        return moved

    def send(self, transactions: list[Transaction], encode: Encode) -> None:
        for each in transactions:
            value, headers = encode(each)
            self.send_bytes(each.customer_id, value, headers)

    def send_bytes(
        self, key: str | bytes, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        data = key.encode() if isinstance(key, str) else key
        self._producer.produce(self.topics.transactions, key=data, value=value, headers=list(headers))
        assert self._producer.flush(60) == 0

    def alerts_of_avro(self) -> Callable[[Any], dict[str, Any]]:
        read = AvroDeserializer(self.registry)
        return lambda record: read(record.value, self._context(self.topics.alerts, record.headers))

    def alerts_of_protobuf(self) -> Callable[[Any], dict[str, Any]]:
        kind: Any = protobuf_values.message_class(Alert)
        # Without the registry, which it does not need: Apicurio garbles descriptors that it is asked for.
        read = ProtobufDeserializer(kind, {"use.deprecated.format": False})
        return lambda record: protobuf_values._plain(
            read(record.value, self._context(self.topics.alerts, record.headers))
        )

    def _encode(self, serialize: Callable[[Transaction], bytes]) -> Encode:
        return lambda each: (serialize(each), [])

    def _context(self, topic: str | None = None, headers: Any = ()) -> Any:
        return SerializationContext(topic or self.topics.transactions, MessageField.VALUE, list(headers))


def _plain(transaction: Transaction) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(transaction).items() if value is not None}


def as_json(each: Transaction) -> tuple[bytes, list[tuple[str, bytes]]]:
    return encode_event(each), []
