"""What a chunk becomes, computed in memory: nothing is awaited, sent or stored here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from app.adapters.entity_facts import Source, transaction_facts
from app.adapters.event_encoder import JSON_ENCODING, Encoding
from app.adapters.kafka_sender import OutRecord
from app.domain.acceptance import Acceptance
from app.domain.decision import Decision, Outcome
from app.domain.ignored import Ignored
from app.features.delayed import Delayed
from app.features.fold import REPEATED, REPLAYED
from app.features.window import Bounds
from app.scoring import scorer
from app.scoring.lineup import Lineup
from app.scoring.model import Model, Rows, Scores
from app.scoring.scorer import Seen, SourcePartition
from app.streaming.applying import Applied, ChunkFold, Rejected, SourceLog
from app.streaming.chunks import Chunk
from app.streaming.entity_records import entity_records
from app.streaming.order_of_writes import Output, OutTopics
from app.streaming.profiles import ProfileCache
from app.streaming.records import alert_record, dead_letter, decision_record, trace_headers
from app.streaming.stages import Stopwatch


class Work(NamedTuple):
    """All that a chunk has to write, in the order of writes, and what it was made from."""

    partition: int
    number: int
    """Of the chunk, in its partition's order of computation."""
    last_offset: int
    decisions: list[OutRecord]
    alerts: list[OutRecord]
    dead_letters: list[OutRecord]
    profiles: dict[bytes, bytes]
    outcomes: list[Outcome]
    scores: list[float]
    sent_ms: list[int]
    """Timestamps of the decided records."""
    rejected: list[Rejected]
    replayed: int
    duplicate: int
    late: int
    ignored: Sequence[Ignored] = ()
    absent: int = 0
    """Decided without what is known of their entities."""
    activity: dict[int, list[OutRecord]] = {}  # noqa: RUF012  # nobody changes it
    """By partition of its topic, which is another one than the chunk's."""

    def outputs(self, topics: OutTopics) -> Iterator[Output]:
        """See order_of_writes.Work."""
        yield Output(topics.decisions, self.partition, self.decisions)
        yield Output(topics.alerts, self.partition, self.alerts)
        yield Output(topics.dead_letters, self.partition, self.dead_letters)
        for partition, records in self.activity.items():
            yield Output(topics.activity, partition, records)

    @property
    def records(self) -> int:
        """How many records the chunk had; every one is decided, rejected, ignored, replayed or a duplicate."""
        return len(self.decisions) + len(self.rejected) + len(self.ignored) + self.replayed + self.duplicate


class Formats(NamedTuple):
    """In which a worker publishes."""

    decisions: Encoding = JSON_ENCODING
    alerts: Encoding = JSON_ENCODING


class ChunkScorer:
    """The computed part of the hot path. ``lineup`` may be replaced between two chunks.

    ``activity_partitions`` is how many partitions the entities' topic has; 0: nothing is told of entities.
    """

    def __init__(
        self, log: SourceLog, acceptance: Acceptance, bounds: Bounds, profiles: ProfileCache, lineup: Lineup
    ) -> None:
        self.lineup = lineup
        self.on_scored: Callable[[Rows, Scores], None] = _nobody_looks
        self.activity_partitions = 0
        self.formats = Formats()
        self._known = ChunkFold(log, acceptance, bounds, profiles)

    def fold(self, chunk: Chunk, now_ms: int, watch: Stopwatch) -> Applied:
        """The first half: what the chunk does to its customers' profiles."""
        return self._known.apply(chunk, now_ms, watch)

    def decide(self, chunk: Chunk, known: Applied, about: Delayed, now_ms: int, watch: Stopwatch) -> Work:
        """The second half: scores, decisions, and all that is to be written. ``about`` the applied transactions'
        entities.
        """
        lineup, log = self.lineup, self._known.log
        source = SourcePartition(log.topic, chunk.partition)
        records, folded = [known.accepted[i].record for i in known.rows], known.folded
        seen = scorer.seen(known.transactions, folded, known.rows, about)
        judged = lineup.judge(seen.rows, seen.transactions)
        self.on_scored(seen.rows, judged.champion)
        watch.lap("score")
        shadow = lineup.shadow(seen.rows, judged)
        watch.lap("shadow")
        offsets = [record.offset for record in records]
        decisions = scorer.decide(seen, offsets, judged, shadow, source, now_ms)
        work = Work(
            partition=chunk.partition,
            number=known.number,
            last_offset=chunk.records[-1].offset,
            decisions=list(_decisions(decisions, records, self.formats.decisions)),
            alerts=list(self._alerts(decisions, records, seen, judged.models)),
            dead_letters=[dead_letter(*entry) for entry in known.rejected],
            profiles=known.profiles,
            outcomes=[decision.outcome for decision in decisions],
            scores=[decision.score for decision in decisions],
            sent_ms=[record.timestamp for record in records],
            rejected=known.rejected,
            replayed=len(chunk.records)
            - len(known.rejected)
            - len(known.ignored)
            - int(np.count_nonzero(folded.status != REPLAYED)),
            duplicate=int(np.count_nonzero(folded.status == REPEATED)),
            late=int(np.count_nonzero(folded.late)),
            ignored=known.ignored,
            absent=int(np.count_nonzero(about.absent)),
            activity=self._activity(known, offsets, Source(log.incarnation, chunk.partition)),
        )
        watch.lap("encode")
        return work

    def _alerts(
        self, decisions: Sequence[Decision], records: Sequence[Any], seen: Seen, models: Sequence[Model]
    ) -> Iterable[OutRecord]:
        for row, decision in enumerate(decisions):
            if decision.outcome != Outcome.APPROVE:
                record, values = records[row], seen.rows[row].tolist()
                alert = scorer.alert(decision, values, seen.known(row), models[row])
                yield alert_record(alert, record.key, trace_headers(record.headers), self.formats.alerts)

    def _activity(self, known: Applied, offsets: list[int], source: Source) -> dict[int, list[OutRecord]]:
        if not self.activity_partitions or not offsets:
            return {}
        facts = transaction_facts(known.touched.times_ms, known.digests, offsets, source)
        return entity_records(known.touched, facts, self.activity_partitions)


def _nobody_looks(_rows: Rows, _scores: Scores) -> None:
    return


def _decisions(
    decisions: Iterable[Decision], records: Iterable[Any], encoding: Encoding
) -> Iterable[OutRecord]:
    for decision, record in zip(decisions, records, strict=True):
        yield decision_record(decision, record.key, trace_headers(record.headers), encoding)
