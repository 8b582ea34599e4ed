"""Change events in Avro with the schemas that Kafka Connect's Avro converters make of Debezium's; without Kafka Connect."""

import io
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fastavro import parse_schema, schemaless_writer

from app.adapters.schema_registry.wire_format import Framed
from app.adapters.schema_registry.writer_schema import AVRO, WriterSchema

NAMESPACE = "bank.public.transactions"


def connect(avro_type: str, name: str, **more: Any) -> dict[str, Any]:
    """A type of Kafka Connect with a name, which converters keep as ``connect.name``."""
    return {"type": avro_type, "connect.version": 1, "connect.name": name} | more


def numeric(scale: int, precision: int = 18) -> dict[str, Any]:
    """A NUMERIC column with ``decimal.handling.mode=precise``."""
    parameters = {"scale": str(scale), "connect.decimal.precision": str(precision)}
    return connect(
        "bytes", "org.apache.kafka.connect.data.Decimal", logicalType="decimal", scale=scale, precision=precision
    ) | {"connect.parameters": parameters}  # fmt: skip


VARIABLE = {
    "type": "record",
    "name": "VariableScaleDecimal",
    "namespace": "io.debezium.data",
    "fields": [{"name": "scale", "type": "int"}, {"name": "value", "type": "bytes"}],
    "connect.version": 1,
    "connect.name": "io.debezium.data.VariableScaleDecimal",
}
"""A NUMERIC column without a scale, with ``decimal.handling.mode=precise``."""
MICRO_TIMESTAMP = connect("long", "io.debezium.time.MicroTimestamp")
NANO_TIMESTAMP = connect("long", "io.debezium.time.NanoTimestamp")
TIMESTAMP = connect("long", "io.debezium.time.Timestamp")
CONNECT_TIMESTAMP = connect("long", "org.apache.kafka.connect.data.Timestamp", logicalType="timestamp-millis")
ZONED_TIMESTAMP = connect("string", "io.debezium.time.ZonedTimestamp")


def optional(kind: Any) -> list[Any]:
    return ["null", kind]


def unscaled(number: Decimal) -> bytes:
    """The bytes of a NUMERIC value: two's complement, big-endian."""
    sign, digits, _ = number.as_tuple()
    value = int("".join(map(str, digits))) * (-1 if sign else 1)
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def row_schema(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "record",
        "name": "Value",
        "namespace": NAMESPACE,
        "fields": [_field(name, kind) for name, kind in columns.items()],
        "connect.name": f"{NAMESPACE}.Value",
    }


def envelope_schema(columns: Mapping[str, Any]) -> dict[str, Any]:
    snapshot = connect("string", "io.debezium.data.Enum") | {
        "connect.parameters": {
            "allowed": "true,first,first_in_data_collection,last_in_data_collection,last,false"
        }
    }
    source = {
        "type": "record",
        "name": "Source",
        "namespace": "io.debezium.connector.postgresql",
        "fields": [
            *(_field(name, "string") for name in ("version", "connector", "name")),
            _field("ts_ms", "long"),
            _field("snapshot", optional(snapshot)),
            _field("db", "string"),
            *(_field(name, optional("string")) for name in ("sequence", "schema", "table")),
            *(_field(name, optional("long")) for name in ("ts_us", "ts_ns", "txId", "lsn", "xmin")),
        ],
        "connect.name": "io.debezium.connector.postgresql.Source",
    }
    return {
        "type": "record",
        "name": "Envelope",
        "namespace": NAMESPACE,
        "fields": [
            _field("before", optional(row_schema(columns))),
            _field("after", optional("Value")),
            _field("source", source),
            _field("op", "string"),
            *(_field(name, optional("long")) for name in ("ts_ms", "ts_us", "ts_ns")),
        ],
        "connect.version": 2,
        "connect.name": f"{NAMESPACE}.Envelope",
    }


def envelope(
    op: str, after: Mapping[str, Any] | None, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    source = {
        "version": "3.6.1.Final", "connector": "postgresql", "name": "bank", "db": "bank", "ts_ms": 1_760_000_000_000,
        "snapshot": "false", "schema": "public", "table": "transactions", "txId": 771, "lsn": 24_023_128,
    }  # fmt: skip
    return {"before": before, "after": after, "source": source, "op": op, "ts_ms": 1_760_000_000_100}


def flat_schema(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of ExtractNewRecordState with ``add.fields=op`` and ``delete.tombstone.handling.mode=rewrite``."""
    return row_schema({**columns, "__deleted": optional("string"), "__op": optional("string")})


def written(schema: Any, value: Any) -> bytes:
    """The value in Avro, without a schema id. Raises ValueError or OverflowError where it does not fit the schema."""
    data = io.BytesIO()
    plain = json.loads(json.dumps(schema).replace('"logicalType"', '"unused"'))
    schemaless_writer(data, parse_schema(plain), value, strict_allow_default=True)
    return data.getvalue()


def framed(schema: Any, value: Any) -> tuple[WriterSchema, Framed]:
    """The value as a decoder gets it."""
    return WriterSchema(AVRO, json.dumps(schema)), Framed(b"\0\0\0\0\1", None, written(schema, value))


def _field(name: str, kind: Any) -> dict[str, Any]:
    default = {"default": None} if isinstance(kind, list) else {}
    return {"name": name, "type": kind} | default
