"""Lets a reader whose fields are strings read enums, which Avro's rules of resolution do not allow."""

from typing import Any

from fastavro import parse_schema
from fastavro.types import Schema

from app.errors import InvalidEvent, InvalidReason

MOST_SYMBOLS = 100_000
"""In all places together where a schema refers to an enum: a schema of 1 MiB may name one of 50,000 symbols 50,000 times."""
_KEPT = ("type", "symbols", "default")


def enums_as_strings(written: Schema, ours: Schema) -> tuple[Schema, Schema]:
    """Both parsed schemas, in which each string of ours that the writer has as an enum may also be that enum.

    An enum is read as the text of its symbol. The schemas are unchanged where the writer has none. Raises InvalidEvent for more
    than MOST_SYMBOLS.
    """
    enums = _Enums(written)
    if not enums.by_name:
        return written, ours
    inlined = enums.inlined(written)
    return parse_schema(inlined), parse_schema(_joined(_bare(ours), inlined))


class _Enums:
    """The enums of a writer's schema by full name."""

    def __init__(self, written: Schema) -> None:
        self.by_name: dict[str, Any] = {}
        self._copies = self._symbols = 0
        self._find(written)

    def inlined(self, schema: Any) -> Any:
        """The schema with a definition wherever an enum is defined or referred to.

        Each has a namespace of its own: a schema may define a full name only once, and enums match by the name without it.
        """
        if isinstance(schema, list):
            return [self.inlined(option) for option in schema]
        name = schema if isinstance(schema, str) else schema.get("name")
        if name in self.by_name:
            return self._copy(name)
        if isinstance(schema, str):
            return schema
        bare = {key: value for key, value in schema.items() if not key.startswith("__")}
        if "fields" in bare:
            bare["fields"] = [field | {"type": self.inlined(field["type"])} for field in bare["fields"]]
        return bare | {key: self.inlined(bare[key]) for key in ("items", "values") if key in bare}

    def _copy(self, name: str) -> dict[str, Any]:
        enum = self.by_name[name]
        self._copies += 1
        self._symbols += 1 + len(enum["symbols"])
        if self._symbols > MOST_SYMBOLS:
            why = f"its schema has more than {MOST_SYMBOLS:,} symbols of enums, counted wherever it refers to one"
            raise InvalidEvent(InvalidReason.SCHEMA_MISMATCH, why)
        kept = {key: enum[key] for key in _KEPT if key in enum}
        return kept | {"name": f"copy{self._copies}.{name.rpartition('.')[2]}"}

    def _find(self, schema: Any) -> None:
        if isinstance(schema, list):
            for option in schema:
                self._find(option)
        elif isinstance(schema, dict):
            if schema["type"] == "enum":
                self.by_name[schema["name"]] = schema
            for inner in (
                *(field["type"] for field in schema.get("fields", ())),
                schema.get("items"),
                schema.get("values"),
            ):
                self._find(inner)


def _joined(ours: Any, written: Any) -> Any:
    """``ours`` with the enums at the same places of ``written``."""
    if isinstance(ours, dict) and "fields" in ours and isinstance(written, dict):
        theirs = {field["name"]: field["type"] for field in written.get("fields", ())}
        fields = [
            field | {"type": _joined(field["type"], theirs.get(field["name"]))} for field in ours["fields"]
        ]
        return ours | {"fields": fields}
    options = ours if isinstance(ours, list) else [ours]
    offered = written if isinstance(written, list) else [written]
    found = [option for option in offered if isinstance(option, dict) and option["type"] == "enum"]
    return [*options, *found] if found and "string" in options else ours


def _bare(schema: Any) -> Any:
    """The schema without the marks of an earlier parse, which would make ``parse_schema`` return it unchanged."""
    if isinstance(schema, list):
        return [_bare(part) for part in schema]
    if isinstance(schema, dict):
        return {name: _bare(part) for name, part in schema.items() if not name.startswith("__")}
    return schema
