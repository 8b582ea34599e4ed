"""A chunk in which a hostile record stands between two sound ones."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from app.processing.chunk import Chunk
from tests.support.wire.hostile import KEYS, spoiled

NOW_MS = 1_772_000_000_000
TIMESTAMPS = (-1, 0, 2**63 - 1, -(2**63))
HEADERS: tuple[Any, ...] = (
    (("traceparent", None), ("", None), ("\udcff", b"\xff")),
    (("tracestate", b"a=" + b"x" * 100_000),),
)


class Record(NamedTuple):
    """A record as a consumer returns it."""

    key: bytes | None
    value: bytes | None
    offset: int = 0
    timestamp: int = NOW_MS
    headers: Any = ()
    topic: str = "topic"
    partition: int = 0


class Named:
    """Adds the name of the hostile record to an error of the block, which would end the loop."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            error.add_note(f"{self._name} ended the loop")


class Nothing:
    """An empty store."""

    def read(self, _: int, keys: list[bytes]) -> list[bytes | None]:
        return [None] * len(keys)


def family(event: dict[str, Any], key: bytes) -> Iterator[tuple[str, Record]]:
    """The event spoiled in every way, each with its name: value, key, timestamp, headers."""
    sound = json.dumps(event).encode()
    for name, value in spoiled(event):
        yield name, Record(key, value)
        if name.endswith(("2**63", "2**64", "400 digits")):
            yield f"{name}, latest timestamp", Record(key, value, timestamp=2**63 - 1)
    for other in KEYS:
        yield f"key {other!r:.20}", Record(other, sound)
    for timestamp in TIMESTAMPS:
        yield f"timestamp {timestamp}", Record(key, sound, timestamp=timestamp)
    for headers in HEADERS:
        yield f"headers {headers!r:.40}", Record(key, sound, headers=headers)


def surrounded(
    hostile: Iterator[tuple[str, Record]], sound: Sequence[Record], compute: Callable[[Chunk], Any]
) -> Iterator[tuple[str, Any]]:
    """Each hostile record, computed in one chunk between sound ones, with its outputs made. Each chunk starts from nothing."""
    first, *others = sound
    for name, record in hostile:
        records = [first, record, *others]
        numbered = [one._replace(offset=offset) for offset, one in enumerate(records)]
        with Named(name):
            computed = compute(Chunk(0, numbered))
            outputs = list(computed.outputs())
        assert computed.records == len(numbered), name
        assert all(
            one.value is None or isinstance(one.value, bytes) for out in outputs for one in out.records
        )
        yield name, computed
