"""Writes values of any Avro schema, with counts, lengths and indexes that are wrong now and then."""

import struct
from collections.abc import Callable
from random import Random
from typing import Any

from tests.contract.doors.values import ROW
from tests.fuzz.doors import json_text
from tests.fuzz.doors.worker import FULL
from tests.fuzz.mutations import NUMBERS
from tests.support.wire.record_batches import varint

MOST_ITEMS = 3


def plain_type(value: Any) -> str:
    return "long" if isinstance(value, int) else "double" if isinstance(value, float) else "string"


def named(schema: Any) -> dict[str, Any]:
    """The types in a schema by their names."""
    if isinstance(schema, str):
        return {}
    parts = schema if isinstance(schema, list) else [schema.get("items", []), schema.get("values", [])]
    if isinstance(schema, dict):
        parts += [field["type"] for field in schema.get("fields", [])]
    found = {schema["name"]: schema} if isinstance(schema, dict) and "name" in schema else {}
    return found | {name: one for part in parts for name, one in named(part).items()}


class Values:
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
            "record": lambda schema: b"".join(map(self._field, schema["fields"])),
            "enum": lambda schema: varint(self._number(self._random.randrange(len(schema["symbols"]) + 1))),
            "fixed": lambda schema: self._random.randbytes(min(schema["size"], 20)),
            "array": lambda schema: self._blocks(lambda: self.of(schema["items"])),
            "map": lambda schema: self._blocks(lambda: self._plain("string") + self.of(schema["values"])),
        }

    def _field(self, field: dict[str, Any]) -> bytes:
        """A field of the contract mostly has a value of the contract, where its type allows."""
        kind, value = field["type"], FULL.get(field["name"])
        plain = plain_type(value)
        branches = kind if isinstance(kind, list) else [kind]
        if value is None or plain not in branches or self._random.random() < 0.05:
            return self.of(kind)
        index = varint(branches.index(plain)) if isinstance(kind, list) else b""
        if isinstance(value, str):
            return index + varint(len(value)) + value.encode()
        return index + (varint(value) if isinstance(value, int) else struct.pack("<d", value))

    def _union(self, schema: list[Any]) -> bytes:
        at = self._random.randrange(len(schema) or 1)
        return varint(self._number(at)) + (self.of(schema[at]) if schema else b"")

    def _blocks(self, item: Callable[[], bytes]) -> bytes:
        count = self._random.randrange(MOST_ITEMS)
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
