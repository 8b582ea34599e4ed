"""Avro with random schemas of writers: each input is a schema as the registry answers it, and a value that follows it or does not."""

import json
from random import Random
from typing import Any, NamedTuple

from app.adapters.schema_registry.wire_format import number_key
from app.adapters.schema_registry.writer_schema import AVRO, WriterSchema
from tests.contract.doors.values import ROW
from tests.fuzz.doors.avro_values import MOST_ITEMS, Values, named, plain_type
from tests.fuzz.doors.door import Door, Payload
from tests.fuzz.doors.registered import Registered
from tests.fuzz.doors.worker import FULL, OUTCOMES, Record, decoder_of
from tests.fuzz.mutations import mutated

_MOST_LEVELS = 5
_PRIMITIVE = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_LOGICAL = (
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
    {"type": "string", "logicalType": "uuid"},
    {"type": "int", "logicalType": "date"},
)
_SEPARATOR = b"\0"


class Given(NamedTuple):
    """A schema's text and a value."""

    schema: bytes
    value: bytes
    is_fixed: bool
    """A coverage-guided fuzzer changes the value only: it changes the longer schema so often that few can be read."""


def _make(random: Random) -> Given:
    names: list[str] = []
    fields = [_field(name, _of_contract(value, random, names), random) for name, value in _some(random)]
    fields += [
        _field(f"x{number}", _type(random, names), random) for number in range(random.choice((0, 0, 1, 3)))
    ]
    if random.random() < 0.3:
        random.shuffle(fields)
    schema = {"type": "record", "name": "Transaction", "namespace": "com.bank", "fields": fields}
    value = Values(random, named(schema)).of(schema)
    text = json.dumps(schema).encode()
    if random.random() < 0.2:
        text = mutated(text, random, [text, *_SCHEMAS])
    damaged = mutated(value, random, [value]) if random.random() < 0.4 else value
    return Given(text, damaged, is_fixed=random.random() < 0.5)


def _some(random: Random) -> list[tuple[str, Any]]:
    """The fields of the contract: seldom one is missing, more often optional ones are."""
    return [(name, value) for name, value in FULL.items() if random.random() < (0.97 if name in ROW else 0.5)]


def _field(name: str, kind: Any, random: Random) -> dict[str, Any]:
    field = {"name": name, "type": kind}
    if random.random() < 0.02:
        field["default"] = random.choice((None, 0, "", "x", [], {}, 1e999))
    if random.random() < 0.02:
        field["aliases"] = [random.choice((*FULL, "other"))]
    return field


def _of_contract(value: Any, random: Random, names: list[str]) -> Any:
    """Mostly a type that the contract's field can be read from."""
    plain = plain_type(value)
    kind = random.random()
    if kind < 0.7:
        return plain
    if kind < 0.85:
        return random.choice((["null", plain], [plain, "null"], [plain], ["null", "boolean", plain]))
    return (
        random.choice(("int", "long", "float", "string", "bytes", *_LOGICAL))
        if kind < 0.95
        else _type(random, names)
    )


def _type(random: Random, names: list[str], level: int = 0) -> Any:
    """Any type, nested a few levels; a named one may be referred to from anywhere, also from inside itself."""
    if level >= _MOST_LEVELS or random.random() < 0.4:
        return random.choice((*_PRIMITIVE, *_PRIMITIVE, *_LOGICAL, *names))
    kind = random.choice(("array", "map", "union", "enum", "fixed", "record"))
    if kind in {"enum", "fixed", "record"}:
        return _named_type(kind, random, names, level)
    if kind == "union":
        return [_type(random, names, level + 1) for _ in range(random.randrange(MOST_ITEMS + 1))]
    return {"type": kind, "items" if kind == "array" else "values": _type(random, names, level + 1)}


def _named_type(kind: str, random: Random, names: list[str], level: int) -> dict[str, Any]:
    names.append(name := f"N{len(names)}")
    made: dict[str, Any] = {"type": kind, "name": name}
    if kind == "enum":
        return made | {"symbols": ["A", "B", "EUR"][: random.randrange(4)]}
    if kind == "fixed":
        return made | {"size": random.choice((0, 1, 4, 16, 2**31))}
    inner = [_type(random, names, level + 1) for _ in range(random.randrange(MOST_ITEMS))]
    return made | {"fields": [{"name": f"f{at}", "type": part} for at, part in enumerate(inner)]}


def _decode(given: Given) -> str:
    """As a worker reads the first value of a schema that it did not know."""
    schema = WriterSchema(AVRO, given.schema.decode("utf-8", "replace"))
    return decoder_of([Registered(schema, [])])(Record(number_key(0) + given.value))


def _joined(given: Given) -> bytes:
    return given.value if given.is_fixed else given.schema + _SEPARATOR + given.value


def _split(given: Given, data: bytes) -> Given:
    if given.is_fixed:
        return given._replace(value=data)
    schema, _, value = data.partition(_SEPARATOR)
    return given._replace(schema=schema, value=value)


_SCHEMAS = (
    *(
        b'"string"',
        b'{"type":"record","name":"R","fields":[]}',
        b'["null",',
        b'"type":{"type":"array","items":"null"}',
    ),
    *(
        b'"com.bank.Transaction"',
        b'"N0"',
        b'{"type":"fixed","name":"F","size":99999999999}',
        b'"namespace":"a..b",',
    ),
)
AVRO_WRITER_DOORS = (
    Door(
        "avro-writers",
        "Avro with a random schema of the writer",
        _make,
        _decode,
        OUTCOMES,
        payload=Payload(_joined, _split),
    ),
)
