"""What a worker has of the schema registry: schemas of values that come, ids of those that go, and whether it answers
at all.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
import structlog

from app.adapters.kafka.records import Record
from app.adapters.schema_registry.client import PREFIX, RegistryClient
from app.adapters.schema_registry.schema_cache import SchemaCache
from app.adapters.schema_registry.subjects import subject_of
from app.adapters.serde.event_decoder import EventDecoder
from app.adapters.serde.event_encoder import Encoding, encoding, own_schema
from app.errors import ConfigurationError, RegistryAway
from app.metrics import Metrics
from app.processing.chunk import Chunk
from app.settings import RegistrySettings
from app.streaming.execution.prerequisites import Prerequisites

PROBE_SECONDS = 15.0

_log = structlog.get_logger("registry")

EventT = TypeVar("EventT")


class RegistryUse:
    """Every question is asked in a thread: the event loop scores meanwhile."""

    def __init__(self, settings: RegistrySettings, metrics: Metrics) -> None:
        self.settings = settings
        self.book = SchemaCache(registry := RegistryClient(settings))
        self._registry = registry
        self._metrics = metrics
        self._answers = True

    async def learn(self, key: bytes) -> bool:
        """Have the schema of this id in the book, or that there is none; False when there was no answer."""
        try:
            await asyncio.to_thread(self.book.learn, key)
        except RegistryAway as error:
            self._failed(error)
            return False
        self._answered()
        return True

    def reading(
        self,
        event: type[msgspec.Struct],
        of_json: Callable[[Record], EventT],
        into: type[msgspec.Struct] | None = None,
    ) -> tuple[Callable[[Record], EventT], Prerequisites]:
        """How a topic's records are decoded, and what that needs."""
        decoder = EventDecoder(event, of_json, self.book, into)
        return decoder, SchemaPrerequisites(self, decoder)

    async def encoding(self, event: type[msgspec.Struct], topic: str) -> Encoding:
        """How events of a topic are published. Raises ConfigurationError where their schema is not registered,
        RegistryAway.
        """
        schema, subject = own_schema(event, self.settings.output_format), subject_of(topic)
        found = await asyncio.to_thread(self._registry.id_of, subject, schema)
        if found is None:
            raise ConfigurationError(
                f"{PREFIX}OUTPUT_FORMAT={self.settings.output_format}, but this release's schema of {event.__name__} is not "
                f"registered under {subject}. `fraudstream schemas register` does it."
            )
        self._answered()
        return encoding(event, self.settings, found)

    async def run(self) -> None:
        """Ask now and then whether the registry is there: ids are new so rarely that its absence would not show."""
        while True:
            try:
                await asyncio.to_thread(self._registry.require)
            except RegistryAway as error:
                self._failed(error)
            else:
                self._answered()
            await asyncio.sleep(PROBE_SECONDS)

    def _answered(self) -> None:
        if not self._answers:
            _log.info("registry_is_back")
        self._answers = True
        self._tell()

    def _failed(self, error: RegistryAway) -> None:
        if self._answers:
            _log.error("registry_is_away", why=str(error))
        self._answers = False
        self._tell()

    def _tell(self) -> None:
        self._metrics.gauge("registry_away", int(not self._answers))
        self._metrics.gauge("registry_schemas", len(self.book))


class SchemaPrerequisites:
    """A chunk needs the schemas that its values name. See Needs."""

    provider = "the schema registry"

    def __init__(self, use: RegistryUse, decoder: EventDecoder) -> None:
        self._use = use
        self._decoder = decoder

    def are_met(self, chunk: Chunk) -> bool:
        return not self._decoder.missing(chunk.records)

    async def request(self, chunk: Chunk) -> bool:
        """Where records need not be waited for, those without an answer are given up."""
        missing = self._decoder.missing(chunk.records)
        for place, key in enumerate(missing):
            if not await self._use.learn(key):
                return self._give_up(missing[place:])
        return True

    def _give_up(self, keys: Sequence[bytes]) -> bool:
        if self._use.settings.when_away == "wait":
            return False
        for key in keys:
            self._use.book.give_up(key)
        return True
