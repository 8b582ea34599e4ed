"""Schemas of producers with values of each: the service's own, older, newer, with enums, and with types that cost a reader."""

import io
import json
from typing import Any, NamedTuple

from fastavro import parse_schema, schemaless_writer

from app.adapters.schema_registry.writer_schema import AVRO, PROTOBUF, WriterSchema
from app.adapters.serde import avro_schemas
from app.adapters.serde.event_encoder import own_schema
from app.adapters.serde.protobuf_values import message_class
from app.domain.transaction import Transaction
from tests.contract.doors.values import NOW_MS, ROW

_FULL: dict[str, Any] = ROW | {
    "channel": "web", "mcc": "0742", "country": "DE", "device_id": "d1", "card_token": "k1", "latitude": 48.1,
    "longitude": 11.5,
}  # fmt: skip
_REQUIRED = [
    {"name": name, "type": "long" if isinstance(value, int) else "string"} for name, value in ROW.items()
]
_EMPTY = {"type": "record", "name": "Nothing", "fields": []}
_EXTRA: tuple[tuple[Any, Any], ...] = (
    ({"type": "array", "items": "null"}, [None] * 3),
    ({"type": "array", "items": _EMPTY}, [{}]),
    ({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}, [b""]),
    ({"type": "array", "items": {"type": "array", "items": "null"}}, [[None]]),
    ({"type": "map", "values": "null"}, {"a": None}),
    ({"type": "array", "items": "string"}, ["a", "b"]),
    ({"type": "map", "values": {"type": "array", "items": "int"}}, {"a": [1, 2]}),
    (["null", "boolean", "float", "bytes"], 0.5),
    ({"type": "fixed", "name": "F", "size": 4}, b"abcd"),
)


class Registered(NamedTuple):
    """A registered schema with values that were written with it."""

    schema: WriterSchema
    payloads: list[bytes]


def _avro(schema: Any, *values: dict[str, Any]) -> Registered:
    payloads = []
    for value in values:
        written = io.BytesIO()
        schemaless_writer(written, parse_schema(json.loads(json.dumps(schema))), value)
        payloads.append(written.getvalue())
    return Registered(WriterSchema(AVRO, json.dumps(schema)), payloads)


def _record(fields: list[Any]) -> dict[str, Any]:
    return {"type": "record", "name": "Transaction", "namespace": "com.bank", "fields": fields}


def _avro_schemas() -> list[Registered]:
    enum = [
        field | {"type": {"type": "enum", "name": "Currency", "symbols": ["EUR", "USD"]}}
        if field["name"] == "currency"
        else field
        for field in _REQUIRED
    ]
    bare = dict.fromkeys(_FULL) | ROW
    extended = [
        _avro(_record([*_REQUIRED, {"name": "extra", "type": kind}]), ROW | {"extra": value})
        for kind, value in _EXTRA
    ]
    return [
        _avro(avro_schemas.schema(Transaction), _FULL, bare),
        _avro(_record(_REQUIRED), ROW),
        _avro(_record(list(reversed(_REQUIRED))), ROW),
        _avro(_record(enum), ROW),
        *extended,
    ]


def _protobuf_schemas() -> list[Registered]:
    own = own_schema(Transaction, "protobuf")
    several = 'syntax = "proto3"; message First { message Inner {} } message Transaction { string id = 1; }'
    full = message_class(Transaction)(**_FULL).SerializeToString()
    required = message_class(Transaction)(**(ROW | {"event_time": NOW_MS})).SerializeToString()
    groups = b"\xa3\x06" * 50 + b"\xa4\x06" * 50
    payloads = [full, required, required + full, full + groups, full + b"\xa2\x06\x02ab"]
    return [
        Registered(own, [b"\0" + payload for payload in payloads]),
        Registered(WriterSchema(PROTOBUF, several), [b"\x02\x02" + payload for payload in payloads]),
    ]


AVRO_SCHEMAS = _avro_schemas()
PROTOBUF_SCHEMAS = _protobuf_schemas()
