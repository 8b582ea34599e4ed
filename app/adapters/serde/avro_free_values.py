"""Bounds the values that an Avro schema lets a record hold without a byte for each: nulls, empty records, empty fixed types.

Ten bytes can state an array of 2**62 nulls, and forty records, each with two fields of the one before, 2**40 of them. The
compiled reader goes through them all.
"""

from collections.abc import Iterator, Mapping
from typing import Any

MOST_PER_BYTE = 4
"""Of an item of an array or a map, of which a record has as many as its bytes allow: a MiB of items of one byte and a hundred nulls
takes 4 GB of memory as objects."""
MOST_PER_RECORD = 10_000


def has_too_many(schema: Any, named: Mapping[str, Any]) -> bool:
    """Whether a small record may hold a number of values that is out of proportion. The schema must have passed ``type_nesting``."""
    sizes = _Sizes(named)
    if sizes.free(schema) > MOST_PER_RECORD:
        return True
    every = [schema, *named.values()]
    return any(sizes.is_costly(items, keyed=keyed) for part in every for items, keyed in _items(part))


class _Sizes:
    """Sizes of parsed types; those of named types are computed once."""

    def __init__(self, named: Mapping[str, Any]) -> None:
        self._named = named
        self._known: dict[tuple[str, str], int] = {}

    def is_costly(self, items: Any, *, keyed: bool) -> bool:
        least = self.least_bytes(items)
        return (not keyed and not least) or self.free(items) > MOST_PER_BYTE * max(1, least)

    def least_bytes(self, part: Any) -> int:
        """Bytes of the shortest value."""
        return self._size("least_bytes", part, self._bytes_of)

    def free(self, part: Any) -> int:
        """The largest number of values that take no byte, outside of arrays and maps."""
        return self._size("free", part, self._free_of)

    def _size(self, what: str, part: Any, compute: Any) -> int:
        part = self._named.get(part, part) if isinstance(part, str) else part
        name = part.get("name", "") if isinstance(part, dict) else ""
        if not name:
            return int(compute(part))
        if (what, name) not in self._known:
            self._known[what, name] = compute(part)
        return self._known[what, name]

    def _bytes_of(self, part: Any) -> int:
        kind = part if isinstance(part, str) else "union" if isinstance(part, list) else part["type"]
        if kind == "fixed":
            return int(part["size"])
        if kind in ("record", "error"):
            return sum(self.least_bytes(field["type"]) for field in part["fields"])
        return 0 if kind == "null" else 1

    def _free_of(self, part: Any) -> int:
        if isinstance(part, list):
            return max(map(self.free, part), default=0)
        kind = part if isinstance(part, str) else part["type"]
        if kind in ("record", "error"):
            return 1 + sum(self.free(field["type"]) for field in part["fields"])
        return int(not self._bytes_of(part))


def _items(part: Any) -> Iterator[tuple[Any, bool]]:
    """The items of the arrays and maps in a type, without those of the types that it names; True for maps."""
    if isinstance(part, list):
        for option in part:
            yield from _items(option)
    elif isinstance(part, dict):
        for key in ("items", "values"):
            if key in part:
                yield part[key], key == "values"
                yield from _items(part[key])
        for field in part.get("fields", ()):
            yield from _items(field["type"])
