"""Avro with random schemas of writers: each input is a schema as the registry answers it, and a value that follows it or does not."""

import json
import struct
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from app.adapters.schema_registry.wire_format import number_key
from app.adapters.schema_registry.writer_schema import AVRO, WriterSchema
from tests.contract.doors.values import ROW
from tests.fuzz.doors import json_text
from tests.fuzz.doors.door import Door, Payload
from tests.fuzz.doors.registered import Registered
from tests.fuzz.doors.worker import FULL, OUTCOMES, Record, decoder_of
from tests.fuzz.mutations import NUMBERS, mutated
from tests.support.wire.record_batches import varint

_MOST_ITEMS, _MOST_LEVELS = 3, 5
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


def _make(random: Random) -> Given:
    names: list[str] = []
    fields = [_field(name, _of_contract(value, random, names), random) for name, value in _some(random)]
    fields += [
        _field(f"x{number}", _type(random, names), random) for number in range(random.choice((0, 0, 1, 3)))
    ]
    if random.random() < 0.3:
        random.shuffle(fields)
    schema = {"type": "record", "name": "Transaction", "namespace": "com.bank", "fields": fields}
    value = _Values(random, _named(schema)).of(schema)
    text = json.dumps(schema).encode()
    if random.random() < 0.2:
        text = mutated(text, random, [text, *_SCHEMAS])
    return Given(text, mutated(value, random, [value]) if random.random() < 0.4 else value)


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
    plain = "long" if isinstance(value, int) else "double" if isinstance(value, float) else "string"
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
        return [_type(random, names, level + 1) for _ in range(random.randrange(_MOST_ITEMS + 1))]
    return {"type": kind, "items" if kind == "array" else "values": _type(random, names, level + 1)}


def _named_type(kind: str, random: Random, names: list[str], level: int) -> dict[str, Any]:
    names.append(name := f"N{len(names)}")
    made: dict[str, Any] = {"type": kind, "name": name}
    if kind == "enum":
        return made | {"symbols": ["A", "B", "EUR"][: random.randrange(4)]}
    if kind == "fixed":
        return made | {"size": random.choice((0, 1, 4, 16, 2**31))}
    inner = [_type(random, names, level + 1) for _ in range(random.randrange(_MOST_ITEMS))]
    return made | {"fields": [{"name": f"f{at}", "type": part} for at, part in enumerate(inner)]}


def _named(schema: Any) -> dict[str, Any]:
    """The types in a schema by their names."""
    if isinstance(schema, str):
        return {}
    parts = schema if isinstance(schema, list) else [schema.get("items", []), schema.get("values", [])]
    if isinstance(schema, dict):
        parts += [field["type"] for field in schema.get("fields", [])]
    found = {schema["name"]: schema} if isinstance(schema, dict) and "name" in schema else {}
    return found | {name: one for part in parts for name, one in _named(part).items()}


class _Values:
    """Writes a value of a schema, with counts, lengths and indexes that are wrong now and then."""

    def __init__(self, random: Random, named: dict[str, Any]) -> None:
        self._random = random
        self._named = named
        self._left = 200
        """Values until the rest is left out: a type that contains itself would not end."""

    def of(self, schema: Any) -> bytes:
        self._left -= 1
        if self._left < 0:
            return b""
        if isinstance(schema, list):
            return self._union(schema)
        if isinstance(schema, str):
            return self.of(self._named[schema]) if schema in self._named else self._plain(schema)
        write = self._writers().get(schema["type"])
        return write(schema) if write is not None else self.of(schema["type"])

    def _writers(self) -> dict[str, Callable[[Any], bytes]]:
        return {
            "record": lambda schema: b"".join(self.of(field["type"]) for field in schema["fields"]),
            "enum": lambda schema: varint(self._number(self._random.randrange(len(schema["symbols"]) + 1))),
            "fixed": lambda schema: self._random.randbytes(min(schema["size"], 20)),
            "array": lambda schema: self._blocks(lambda: self.of(schema["items"])),
            "map": lambda schema: self._blocks(lambda: self._plain("string") + self.of(schema["values"])),
        }

    def _union(self, schema: list[Any]) -> bytes:
        at = self._random.randrange(len(schema) or 1)
        return varint(self._number(at)) + (self.of(schema[at]) if schema else b"")

    def _blocks(self, item: Callable[[], bytes]) -> bytes:
        count = self._random.randrange(_MOST_ITEMS)
        return (
            varint(self._number(count)) + b"".join(item() for _ in range(count)) if count else b""
        ) + b"\0"

    def _plain(self, kind: str) -> bytes:
        if kind in {"int", "long"}:
            return varint(self._random.choice((ROW["event_time"], 1250, *NUMBERS)))
        if kind in {"bytes", "string"}:
            text = self._random.choice((*map(str, ROW.values()), *json_text.ODD_TEXTS)).encode(
                "utf-8", "surrogatepass"
            )
            return varint(self._number(len(text))) + text
        size = {"null": 0, "boolean": 1, "float": 4, "double": 8}[kind]
        return struct.pack("<d", self._random.choice((48.1, float("nan"), 1e308)))[:size]

    def _number(self, right: int) -> int:
        return right if self._random.random() < 0.98 else self._random.choice(NUMBERS)


def _decode(given: Given) -> str:
    """As a worker reads the first value of a schema that it did not know."""
    schema = WriterSchema(AVRO, given.schema.decode("utf-8", "replace"))
    return decoder_of([Registered(schema, [])])(Record(number_key(0) + given.value))


def _split(_: Given, data: bytes) -> Given:
    schema, _, value = data.partition(_SEPARATOR)
    return Given(schema, value)


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
        payload=Payload(lambda given: given.schema + _SEPARATOR + given.value, _split),
    ),
)
