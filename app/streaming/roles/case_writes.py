"""The order of writes of a cases worker: dead letters, then one transaction with rows and offsets, then the acknowledgement."""

from collections.abc import Callable, Mapping

from app.adapters.postgres.apply import Applied, Batch, Numbered, apply
from app.adapters.postgres.database import Database
from app.metrics import Metrics
from app.processing.case_work import CaseChunk
from app.settings import Settings
from app.streaming.delivery.order_of_writes import Destinations, InFlightChunk, OrderOfWrites, Sender

HOUR_MS = 3_600_000


class NoStore:
    """There is no table."""

    def write(self, partition: int, states: Mapping[bytes, bytes], changelog_offset: int) -> None:
        raise AssertionError(f"no states: {partition}, {len(states)}, {changelog_offset}")


class CaseWrites(OrderOfWrites[CaseChunk]):
    """Writes the chunks of a round in one transaction. The dead letters of a chunk are acknowledged by then: its offsets move last."""

    def __init__(
        self,
        sender: Sender,
        settings: Settings,
        database: Database,
        guard: Callable[[], None],
        on_applied: Callable[[Applied], None],
    ) -> None:
        super().__init__(sender, NoStore(), Destinations(settings.topics.names()), guard)
        self.topic_ids: Mapping[str, str] = {}
        """By topic, its id: offsets of an earlier topic of the same name do not count."""
        self._topics = settings.topics.names()
        self._due_ms = round(settings.cases.due_hours * HOUR_MS)
        self._database = database
        self._may_write = guard
        self._on_applied = on_applied

    async def _write(self, chunks: list[InFlightChunk[CaseChunk]]) -> None:
        if not chunks:
            return
        self._may_write()
        batches = [self._batch(chunk.computed) for chunk in chunks]
        applied = await self._database.run(lambda connection: apply(connection, batches, self._due_ms))
        for chunk in chunks:
            chunk.stopwatch.lap("store")
        self._on_applied(applied)

    def _batch(self, chunk: CaseChunk) -> Batch:
        topic = self._topics[chunk.stream]
        records = [Numbered(*record) for record in chunk.accepted]
        return Batch(topic, self.topic_ids[topic], chunk.partition, chunk.last_offset + 1, records)


def count(metrics: Metrics, applied: Applied) -> None:
    """Count what a transaction changed."""
    for result in ("opened", "appended", "suppressed", "repeated"):
        metrics.count("cases_alerts_total", getattr(applied, result), result=result)
    metrics.count("cases_outcomes_total", applied.labels, kind="label")
    metrics.count("cases_outcomes_total", applied.answers, kind="answer")


def offsets_of(
    stored: Mapping[tuple[str, int], tuple[str, int]], topic_ids: Mapping[str, str]
) -> Mapping[tuple[str, int], int]:
    """The offsets to resume at: those of topics that have not been created again since."""
    return {
        place: offset for place, (topic_id, offset) in stored.items() if topic_ids.get(place[0]) == topic_id
    }
