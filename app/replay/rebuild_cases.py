"""Rebuilds the tables of cases from the topics: first the cases from their own changes, then what the changes lack."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any, NamedTuple

import msgspec
from psycopg import AsyncConnection

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.tail_reader import open_tail_reader
from app.adapters.postgres import restoring
from app.adapters.postgres.apply import Batch, Numbered, apply
from app.adapters.postgres.database import Database
from app.adapters.postgres.migrating import migrate
from app.adapters.serde.json_codec import label_of
from app.adapters.serde.offline_decoder import readable
from app.cases.contract import CaseChange
from app.domain.acceptance import Acceptance
from app.processing.case_work import CaseDecoder
from app.processing.chunk import Chunk
from app.settings import Settings, Stream

ROWS = 1_000
"""Records of one transaction, and changes in memory."""
HOUR_MS = 3_600_000
UNKNOWN = (
    "notes of analysts",
    "suppressions: alerts that one hid are in cases now",
    "changes of cases that were not published when the database was lost",
    "alerts, labels and answers that their topics no longer retain, unless a change of a case holds them",
)
"""What no topic holds."""


class Rebuilt(msgspec.Struct, frozen=True):
    """The result."""

    changes: int
    """Read from the topic of changes."""
    alerts: int
    """Read from the topic of alerts."""
    opened: int
    """Cases that no change knew."""
    rejected: int
    """Records that are dead letters."""
    unknown: tuple[str, ...] = UNKNOWN


class _Read(NamedTuple):
    records: int = 0
    opened: int = 0
    rejected: int = 0


class CaseRebuild:
    """Reads the topics as they are now; a worker that starts afterwards continues there."""

    def __init__(self, settings: Settings, database: Database, acceptance: Acceptance) -> None:
        self._settings = settings
        self._database = database
        self._values = readable(settings)
        self._decoder = CaseDecoder(acceptance, lambda record: record, label_of)
        self._change = BoundedDecoder(CaseChange)

    async def run(self, *, with_changes: bool) -> Rebuilt:
        """Raises DatabaseRefused unless the schema is empty, StateCorrupt where the changes contradict each other."""
        schema = self._settings.cases.database_schema
        await self._database.run(lambda connection: migrate(connection, schema))
        changes = await self._database.run(lambda connection: self._restore(connection, with_changes))
        alerts = await self._apply(Stream.ALERTS)
        others = [await self._apply(stream) for stream in (Stream.LABELS, Stream.ANSWERS)]
        rejected = sum(read.rejected for read in (alerts, *others))
        return Rebuilt(changes, alerts.records, alerts.opened, rejected)

    async def _restore(self, connection: AsyncConnection[Any], with_changes: bool) -> int:
        """All of it or nothing: a worker may only begin behind the last change."""
        await restoring.require_empty(connection, self._settings.cases.database_schema)
        if not with_changes:
            return 0
        await restoring.begin(connection)
        count = 0
        async for _, records in self._batches(Stream.CASES):
            found = (self._change.attempt(record.value) for record in records)
            changes = [change for change in found if change is not None]
            await restoring.restore(connection, changes)
            count += len(changes)
        await restoring.finish(connection)
        return count

    async def _apply(self, stream: Stream) -> _Read:
        due_ms = round(self._settings.cases.due_hours * HOUR_MS)
        total = _Read()
        async for topic_id, records in self._batches(stream):
            first = records[0]
            chunk = self._decoder.compute(stream, Chunk(first.partition, records))
            rows = [Numbered(*record) for record in chunk.accepted]
            batches = [Batch(first.topic, topic_id, first.partition, chunk.last_offset + 1, rows)]
            applied = await self._database.run(partial(apply, batches=batches, due_ms=due_ms))
            total = _Read(
                total.records + len(records),
                total.opened + applied.opened,
                total.rejected + len(chunk.rejected),
            )
        return total

    async def _batches(self, stream: Stream) -> AsyncIterator[tuple[str, list[Any]]]:
        """The records of a topic as it is now, in lists of one partition, with the id of the topic."""
        topic = self._settings.topics.name_of(stream)
        async with open_tail_reader(
            self._settings.kafka, [topic], from_beginning=True, values=self._values
        ) as reader:
            records: list[Any] = []
            async for record in reader.until(await reader.ends()):
                if records and (len(records) == ROWS or records[-1].partition != record.partition):
                    yield reader.topic_ids[topic], records
                    records = []
                records.append(record)
            if records:
                yield reader.topic_ids[topic], records
