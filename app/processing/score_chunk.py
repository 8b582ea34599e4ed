"""What chunks become, computed in memory: nothing is awaited, sent or stored here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from app.adapters.kafka.records import OutRecord, Record
from app.adapters.serde.event_encoder import JSON_ENCODING, Encoding
from app.adapters.serde.fact_codec import Sources, transaction_facts
from app.domain.decision import Decision, Outcome, SourceOffset
from app.domain.ignored import Ignored
from app.features.delayed_features import Delayed
from app.features.fold import ALREADY_APPLIED, REPEATED
from app.processing.chunk import Chunk
from app.processing.decode_chunk import Rejected
from app.processing.fact_records import Told, entity_records
from app.processing.fold_chunk import Applied, ChunkFold
from app.processing.output_records import alert_record, dead_letter, decision_record, trace_headers
from app.processing.outputs import Output
from app.processing.stopwatch import Stopwatch
from app.scoring import scorer
from app.scoring.lineup import Lineup, Scored
from app.scoring.model import Rows, Scores
from app.scoring.scorer import ScoringInput
from app.settings import Stream


class ScoredChunk(NamedTuple):
    """All that a chunk has to write, in the order of writes, and what it was made from."""

    partition: int
    number: int
    """Of the chunk, in its partition's order of computation."""
    last_offset: int
    decisions: list[OutRecord]
    alerts: list[OutRecord]
    dead_letters: list[OutRecord]
    states: dict[bytes, bytes]
    """Encoded profiles that changed, by customer."""
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
    activity: Told = {}  # noqa: RUF012  # nobody changes it
    """By partition of its topic, which is another one than the chunk's."""

    def outputs(self) -> Iterator[Output]:
        """See outputs.ComputedChunk."""
        yield Output(Stream.DECISIONS, self.partition, self.decisions)
        yield Output(Stream.ALERTS, self.partition, self.alerts)
        yield Output(Stream.DEAD_LETTERS, self.partition, self.dead_letters)
        for partition, records in self.activity.items():
            yield Output(Stream.ENTITY_ACTIVITY, partition, records)

    @property
    def records(self) -> int:
        """How many records the chunk had; every one is decided, rejected, ignored, replayed or a duplicate."""
        return len(self.decisions) + len(self.rejected) + len(self.ignored) + self.replayed + self.duplicate


class Publishing(NamedTuple):
    """How a worker publishes."""

    decisions: Encoding = JSON_ENCODING
    alerts: Encoding = JSON_ENCODING
    activity_partitions: int = 0
    """Number of partitions of the entities' topic; 0: no facts are published."""


class Decided(NamedTuple):
    """Transactions of some chunks and what became of them, as columns of equal length; of each chunk its activity."""

    records: list[Record]
    decisions: list[Decision]
    inputs: ScoringInput
    scored: Scored
    about: Delayed
    activity: list[Told]


class ChunkScorer:
    """The computed part of the hot path. ``lineup`` may be replaced between two chunks.

    ``on_scored`` receives the feature rows and the champion's scores of each computation.
    """

    def __init__(
        self,
        fold: ChunkFold,
        lineup: Lineup,
        publishing: Publishing | None = None,
        on_scored: Callable[[Rows, Scores], None] = lambda _rows, _scores: None,
    ) -> None:
        self.lineup = lineup
        self._fold = fold
        self._publishing = publishing or Publishing()
        self._on_scored = on_scored

    def fold(self, chunks: Sequence[Chunk], now_ms: int, watch: Stopwatch) -> Applied:
        """The first half: what chunks of different partitions do to their customers' profiles."""
        return self._fold.apply(chunks, now_ms, watch)

    def decide(self, known: Applied, about: Delayed, now_ms: int, watch: Stopwatch) -> list[ScoredChunk]:
        """The second half: scores, decisions, and all that is to be written, for each chunk. ``about`` the applied
        transactions' entities.
        """
        lineup = self.lineup
        inputs = scorer.scoring_input(known.transactions, known.folded, known.rows, about)
        scored = lineup.score(inputs.rows, inputs.transactions)
        self._on_scored(inputs.rows, scored.champion)
        watch.lap("score")
        shadow = lineup.shadow(inputs.rows, scored)
        watch.lap("shadow")
        records = [known.accepted[row].record for row in known.rows]
        topic = self._fold.log.topic
        sources = [
            SourceOffset(topic=topic, partition=record.partition, offset=record.offset) for record in records
        ]
        decisions = scorer.decide(inputs, sources, scored, shadow, now_ms)
        decided = Decided(records, decisions, inputs, scored, about, self._activity(known, sources))
        works = [self._work(known, decided, place) for place in range(len(known.shares))]
        watch.lap("encode")
        return works

    def _work(self, known: Applied, decided: Decided, place: int) -> ScoredChunk:
        share = known.shares[place]
        records, decisions = decided.records[share.rows], decided.decisions[share.rows]
        # As lists: over a few rows NumPy takes ten times as long to count.
        status = known.folded.status[share.accepted].tolist()
        return ScoredChunk(
            partition=share.chunk.partition,
            number=share.number,
            last_offset=share.chunk.records[-1].offset,
            decisions=list(_decisions(decisions, records, self._publishing.decisions)),
            alerts=list(self._alerts(decided, range(len(decided.records))[share.rows])),
            dead_letters=[dead_letter(*entry) for entry in share.rejected],
            states=share.profiles,
            outcomes=[decision.outcome for decision in decisions],
            scores=[decision.score for decision in decisions],
            sent_ms=[record.timestamp for record in records],
            rejected=share.rejected,
            replayed=len(share.chunk.records)
            - len(share.rejected)
            - len(share.ignored)
            - len(status)
            + status.count(ALREADY_APPLIED),
            duplicate=status.count(REPEATED),
            late=known.folded.late[share.accepted].tolist().count(True),
            ignored=share.ignored,
            absent=decided.about.absent[share.rows].tolist().count(True),
            activity=decided.activity[place],
        )

    def _alerts(self, decided: Decided, rows: Iterable[int]) -> Iterable[OutRecord]:
        for row in rows:
            decision = decided.decisions[row]
            if decision.outcome != Outcome.APPROVE:
                record, values = decided.records[row], decided.inputs.rows[row].tolist()
                alert = scorer.alert(
                    decision, values, decided.inputs.coverage(row), decided.scored.models[row]
                )
                yield alert_record(alert, record.key, trace_headers(record.headers), self._publishing.alerts)

    def _activity(self, known: Applied, sources: Sequence[SourceOffset]) -> list[Told]:
        """What each chunk tells of its entities."""
        if not self._publishing.activity_partitions or not sources:
            return [{} for _ in known.shares]
        places = Sources(
            self._fold.log.topic_id,
            [source.partition for source in sources],
            [source.offset for source in sources],
        )
        facts = transaction_facts(known.touched.times_ms, known.digests, places)
        parts = [share.rows for share in known.shares]
        return entity_records(known.touched, facts, self._publishing.activity_partitions, parts)


def _decisions(
    decisions: Iterable[Decision], records: Iterable[Record], encoding: Encoding
) -> Iterable[OutRecord]:
    for decision, record in zip(decisions, records, strict=True):
        yield decision_record(decision, record.key, trace_headers(record.headers), encoding)
