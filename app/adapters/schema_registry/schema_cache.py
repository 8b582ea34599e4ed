"""A cache of schemas by id: each is fetched once and kept while the process lives.

Unknown ids and failed requests are cached for a while as well, so that neither a flood of invented ids nor a failing
registry causes a request for every record.
"""

import time
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from app.adapters.schema_registry.writer_schema import WriterSchema
from app.errors import SchemaTooLarge
from app.settings import RegistrySettings

UNKNOWN_SECONDS = 60.0
"""How long an unknown id is cached: the delay for a schema registered after its first record arrived."""
AWAY_SECONDS = 5.0
MOST_ABSENT = 10_000
DEFAULT_BYTES = RegistrySettings().cached_schemas_bytes


class Absent(Enum):
    """Why a schema is not available."""

    UNKNOWN = "unknown"
    AWAY = "away"
    TOO_LARGE = "too large"
    NO_ROOM = "no room"
    """The cached schemas have the size that is allowed for all of them."""


class SchemaSource(Protocol):
    """Fetches schemas: None for an unknown id. Blocks. Raises RegistryAway and SchemaTooLarge."""

    def schema(self, key: bytes) -> WriterSchema | None: ...


class SchemaCache:
    """Any thread may look schemas up; one thread at a time may fetch. Known schemas stay: a thousand others that are
    registered cannot displace them.
    """

    def __init__(
        self,
        registry: SchemaSource,
        clock: Callable[[], float] = time.monotonic,
        most_bytes: int = DEFAULT_BYTES,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._room = most_bytes
        self._known: dict[bytes, WriterSchema] = {}
        self._absent: dict[bytes, tuple[Absent, float]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def find(self, key: bytes) -> WriterSchema | Absent | None:
        """The schema, or why it is absent; None when it must be fetched: never requested, or too long ago."""
        if (schema := self._known.get(key)) is not None:
            return schema
        absent, until = self._absent.get(key, (None, 0.0))
        return absent if until > self._clock() else None

    def last_known(self, key: bytes) -> WriterSchema | Absent:
        """As ``find``, but an absence never expires; AWAY for an id that was never requested."""
        return self._known.get(key) or self._absent.get(key, (Absent.AWAY, 0.0))[0]

    def learn(self, key: bytes) -> None:
        """Ask the registry for the schema and cache the answer. Raises RegistryAway."""
        try:
            schema = self._registry.schema(key)
        except SchemaTooLarge:
            self._note(key, Absent.TOO_LARGE, UNKNOWN_SECONDS)
            return
        if schema is None:
            self._note(key, Absent.UNKNOWN, UNKNOWN_SECONDS)
            return
        if (size := schema.size) > self._room:
            self._note(key, Absent.NO_ROOM, UNKNOWN_SECONDS)
            return
        self._room -= size
        self._known[key] = schema
        self._absent.pop(key, None)

    def give_up(self, key: bytes) -> None:
        """Cache that the registry did not answer; records after AWAY_SECONDS ask again."""
        self._note(key, Absent.AWAY, AWAY_SECONDS)

    def find_or_fetch(self, key: bytes) -> WriterSchema | Absent:
        """The schema, fetched unless it is cached, or why it is absent. Blocks. Raises RegistryAway."""
        if self.find(key) is None:
            self.learn(key)
        return self.last_known(key)

    def _note(self, key: bytes, why: Absent, seconds: float) -> None:
        while len(self._absent) >= MOST_ABSENT:
            del self._absent[next(iter(self._absent))]
        self._absent[key] = why, self._clock() + seconds
