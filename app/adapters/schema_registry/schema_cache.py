"""Schemas by the ids that values carry: asked for once, remembered while the process lives.

That the registry does not know an id, or gave no answer, is remembered for a while: neither a flood of made-up ids
nor a registry in trouble is asked again for every record.
"""

import time
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from app.adapters.schema_registry.writer_schema import WriterSchema

UNKNOWN_SECONDS = 60.0
"""A schema that is registered after its first record was seen is found so much later."""
AWAY_SECONDS = 5.0
MOST_ABSENT = 10_000


class Absent(Enum):
    """Why a schema is not there."""

    UNKNOWN = "unknown"
    AWAY = "away"


class SchemaSource(Protocol):
    """Raises RegistryAway; None for what the registry does not know. Blocks."""

    def schema(self, key: bytes) -> WriterSchema | None: ...


class SchemaCache:
    """Looked up by many, filled by one thread at a time."""

    def __init__(self, registry: SchemaSource, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._clock = clock
        self._known: dict[bytes, WriterSchema] = {}
        self._absent: dict[bytes, tuple[Absent, float]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def find(self, key: bytes) -> WriterSchema | Absent | None:
        """None for what was never asked, or asked too long ago."""
        if (schema := self._known.get(key)) is not None:
            return schema
        absent, until = self._absent.get(key, (None, 0.0))
        return absent if until > self._clock() else None

    def last_known(self, key: bytes) -> WriterSchema | Absent:
        """As ``find``, however long ago."""
        return self._known.get(key) or self._absent.get(key, (Absent.AWAY, 0.0))[0]

    def learn(self, key: bytes) -> None:
        """Ask the registry. Raises RegistryAway."""
        schema = self._registry.schema(key)
        if schema is not None:
            self._known[key] = schema
            self._absent.pop(key, None)
        else:
            self._note(key, Absent.UNKNOWN, UNKNOWN_SECONDS)

    def give_up(self, key: bytes) -> None:
        """Its records are not waited for; a later one asks again."""
        self._note(key, Absent.AWAY, AWAY_SECONDS)

    def find_or_fetch(self, key: bytes) -> WriterSchema | Absent:
        """For who has time to ask: blocks. Raises RegistryAway."""
        if self.find(key) is None:
            self.learn(key)
        return self.last_known(key)

    def _note(self, key: bytes, why: Absent, seconds: float) -> None:
        while len(self._absent) >= MOST_ABSENT:
            del self._absent[next(iter(self._absent))]
        self._absent[key] = why, self._clock() + seconds
