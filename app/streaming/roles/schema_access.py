"""A worker's access to the schema registry: schemas of records to read, ids of schemas to write, and availability."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
import structlog

from app.adapters.kafka.records import Record
from app.adapters.schema_registry.client import PREFIX, RegistryClient
from app.adapters.schema_registry.schema_cache import SchemaCache
from app.adapters.schema_registry.subjects import subject_of
from app.adapters.serde.event_decoder import ChangeSchemas, EventDecoder
from app.adapters.serde.event_encoder import Encoding, encoding, own_schema
from app.errors import ConfigurationError, RegistryAway
from app.metrics import Metrics
from app.processing.chunk import Chunk
from app.settings import RegistrySettings
from app.streaming.execution.prerequisites import Prerequisites

PROBE_SECONDS = 15.0

_log = structlog.get_logger("registry")

EventT = TypeVar("EventT")


class SchemaAccess:
    """Sends each request in a thread, so that the event loop can score meanwhile."""

    def __init__(self, settings: RegistrySettings, metrics: Metrics) -> None:
        self.settings = settings
        self.cache = SchemaCache(
            registry := RegistryClient(settings), most_bytes=settings.cached_schemas_bytes
        )
        self._registry = registry
        self._metrics = metrics
        self._answers = True

    async def fetch(self, key: bytes) -> bool:
        """Fetch the schema of an id into the cache, or the fact that there is none. False if the registry did not answer."""
        try:
            await asyncio.to_thread(self.cache.learn, key)
        except RegistryAway as error:
            self._failed(error)
            return False
        self._answered()
        return True

    def decoding(
        self,
        event: type[msgspec.Struct],
        of_json: Callable[[Record], EventT],
        into: type[msgspec.Struct] | None = None,
        changes: ChangeSchemas | None = None,
    ) -> tuple[Callable[[Record], EventT], Prerequisites]:
        """The decoder of a topic's records, and the prerequisites of its chunks."""
        decoder = EventDecoder(event, of_json, self.cache, into, changes)
        return decoder, SchemaPrerequisites(self, decoder)

    async def encoding(self, event: type[msgspec.Struct], topic: str) -> Encoding:
        """The encoding of events for a topic.

        Raises ConfigurationError if their schema is not registered, RegistryAway if the registry does not answer.
        """
        schema, subject = own_schema(event, self.settings.output_format), subject_of(topic)
        found = await asyncio.to_thread(self._registry.id_of, subject, schema)
        if found is None:
            raise ConfigurationError(
                f"{PREFIX}OUTPUT_FORMAT={self.settings.output_format}, but this release's schema of {event.__name__} is not "
                f"registered under {subject}. Register it with `fraudstream schemas register`."
            )
        self._answered()
        return encoding(event, self.settings, found)

    async def run(self) -> None:
        """Check every PROBE_SECONDS that the registry answers: new ids are too rare to notice that it does not."""
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
        self._report()

    def _failed(self, error: RegistryAway) -> None:
        if self._answers:
            _log.error("registry_is_away", why=str(error))
        self._answers = False
        self._report()

    def _report(self) -> None:
        self._metrics.gauge("registry_away", int(not self._answers))
        self._metrics.gauge("registry_schemas", len(self.cache))


class SchemaPrerequisites:
    """The schemas that the values of a chunk name. See Prerequisites."""

    provider = "the schema registry"

    def __init__(self, access: SchemaAccess, decoder: EventDecoder) -> None:
        self._access = access
        self._decoder = decoder

    def are_met(self, chunk: Chunk) -> bool:
        return not self._decoder.missing(chunk.records)

    async def request(self, chunk: Chunk) -> bool:
        """Fetch missing schemas. With FRAUDSTREAM_REGISTRY_WHEN_AWAY=dead_letter, give up on ids without an answer."""
        missing = self._decoder.missing(chunk.records)
        for index, key in enumerate(missing):
            if not await self._access.fetch(key):
                return self._give_up(missing[index:])
        return True

    def _give_up(self, keys: Sequence[bytes]) -> bool:
        if self._access.settings.when_away == "wait":
            return False
        for key in keys:
            self._access.cache.give_up(key)
        return True
