"""Scores chunks of transactions, in memory: nothing is awaited, sent or stored here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from app.adapters.kafka.records import OutRecord, Record
from app.adapters.serde.event_encoder import JSON_ENCODING, Encoding
from app.adapters.serde.fact_codec import Sources, transaction_facts
from app.domain.decision import Decision, SourceOffset
from app.domain.ignored import Ignored
from app.domain.outcomes.outcome import Outcome
from app.domain.trace_context import trace_headers
from app.features.delayed_features import Delayed
from app.features.fold import ALREADY_APPLIED, REPEATED
from app.processing.chunk import Chunk
from app.processing.decode_chunk import Rejected
from app.processing.fact_records import FactsByPartition, entity_records
from app.processing.fold_chunk import ChunkFold, FoldedChunks
from app.processing.output_records import alert_record, dead_letter, decision_record
from app.processing.outputs import Output
from app.processing.policy_run import Part, PolicyRun
from app.processing.stopwatch import Stopwatch
from app.scoring import scorer
from app.scoring.lineup import Lineup, Scored
from app.scoring.model import Rows, Scores
from app.scoring.scorer import ScoringInput
from app.scoring.verdicts import Verdicts
from app.settings import Stream


class ScoredChunk(NamedTuple):
    """The records and states that a scored chunk writes, and its counts."""

    partition: int
    number: int
    """Of the chunk, in the order its partition's chunks are computed."""
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
    already_applied: int
    """Records that their profile had applied before: delivered once more after a takeover."""
    duplicate: int
    late: int
    ignored: Sequence[Ignored] = ()
    without_entities: int = 0
    """Transactions scored without the features of their entities."""
    activity: FactsByPartition = {}  # noqa: RUF012  # never changed
    """Facts about the entities of the transactions."""

    def outputs(self) -> Iterator[Output]:
        """See outputs.ComputedChunk."""
        yield Output(Stream.DECISIONS, self.partition, self.decisions)
        yield Output(Stream.ALERTS, self.partition, self.alerts)
        yield Output(Stream.DEAD_LETTERS, self.partition, self.dead_letters)
        for partition, records in self.activity.items():
            yield Output(Stream.ENTITY_ACTIVITY, partition, records)

    @property
    def records(self) -> int:
        """Number of the chunk's records: each is decided, rejected, ignored, already applied or a duplicate."""
        return (
            len(self.decisions)
            + len(self.rejected)
            + len(self.ignored)
            + self.already_applied
            + self.duplicate
        )


class Publishing(NamedTuple):
    """Encodings and partitions of a worker's outputs."""

    decisions: Encoding = JSON_ENCODING
    alerts: Encoding = JSON_ENCODING
    activity_partitions: int = 0
    """Number of partitions of the entities' topic; 0: no facts are published."""


class DecidedRows(NamedTuple):
    """The scored transactions of several chunks as columns of equal length; ``activity`` has one entry per chunk."""

    records: list[Record]
    decisions: list[Decision]
    inputs: ScoringInput
    scored: Scored
    about: Delayed
    activity: list[FactsByPartition]


class ChunkScorer:
    """The computed part of the hot path. ``lineup`` and ``policy`` may be replaced between two chunks; without a policy the
    thresholds of the models decide.

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
        self.policy: PolicyRun | None = None
        self._fold = fold
        self._publishing = publishing or Publishing()
        self._on_scored = on_scored

    def fold(self, chunks: Sequence[Chunk], stopwatch: Stopwatch) -> FoldedChunks:
        """First half: fold chunks of different partitions into their customers' profiles."""
        return self._fold.apply(chunks, stopwatch)

    def decide(
        self, folded: FoldedChunks, about: Delayed, now_ms: int, stopwatch: Stopwatch
    ) -> list[ScoredChunk]:
        """Second half: score the folded transactions and make the outputs of each chunk, in the order of the chunks.

        ``about`` holds the features of the transactions' entities.
        """
        lineup = self.lineup
        inputs = scorer.scoring_input(
            self._fold.computation, folded.transactions, folded.columns, folded.rows, about
        )
        scored = lineup.score(inputs.rows, inputs.transactions)
        self._on_scored(inputs.rows, scored.champion)
        stopwatch.lap("score")
        shadow = lineup.shadow(inputs.rows, scored)
        stopwatch.lap("shadow")
        records = [folded.accepted[row].record for row in folded.rows]
        topic = self._fold.log.topic
        sources = [
            SourceOffset(topic=topic, partition=record.partition, offset=record.offset) for record in records
        ]
        verdicts = self._verdicts(folded, inputs, scored, now_ms, stopwatch)
        decisions = scorer.decide(inputs, sources, scored, shadow, now_ms, verdicts)
        decided = DecidedRows(records, decisions, inputs, scored, about, self._activity(folded, sources))
        chunks = [self._scored_chunk(folded, decided, index) for index in range(len(folded.slices))]
        stopwatch.lap("encode")
        return chunks

    def _verdicts(
        self, folded: FoldedChunks, inputs: ScoringInput, scored: Scored, now_ms: int, stopwatch: Stopwatch
    ) -> Verdicts | None:
        if self.policy is None:
            return None
        parts = [Part(chunk.chunk.partition, chunk.rows) for chunk in folded.slices]
        verdicts = self.policy.settle(inputs, scored, parts, now_ms)
        stopwatch.lap("policy")
        return verdicts

    def _scored_chunk(self, folded: FoldedChunks, decided: DecidedRows, index: int) -> ScoredChunk:
        chunk_slice = folded.slices[index]
        records, decisions = decided.records[chunk_slice.rows], decided.decisions[chunk_slice.rows]
        # Counted in lists: over a few rows NumPy takes ten times as long.
        status = folded.columns.status[chunk_slice.accepted].tolist()
        return ScoredChunk(
            partition=chunk_slice.chunk.partition,
            number=chunk_slice.number,
            last_offset=chunk_slice.chunk.records[-1].offset,
            decisions=list(_decisions(decisions, records, self._publishing.decisions)),
            alerts=list(self._alerts(decided, range(len(decided.records))[chunk_slice.rows])),
            dead_letters=[dead_letter(*entry) for entry in chunk_slice.rejected],
            states=chunk_slice.profiles,
            outcomes=[decision.outcome for decision in decisions],
            scores=[decision.score for decision in decisions],
            sent_ms=[record.timestamp for record in records],
            rejected=chunk_slice.rejected,
            already_applied=len(chunk_slice.chunk.records)
            - len(chunk_slice.rejected)
            - len(chunk_slice.ignored)
            - len(status)
            + status.count(ALREADY_APPLIED),
            duplicate=status.count(REPEATED),
            late=folded.columns.late[chunk_slice.accepted].tolist().count(True),
            ignored=chunk_slice.ignored,
            without_entities=decided.about.absent[chunk_slice.rows].tolist().count(True),
            activity=decided.activity[index],
        )

    def _alerts(self, decided: DecidedRows, rows: Iterable[int]) -> Iterable[OutRecord]:
        for row in rows:
            decision = decided.decisions[row]
            if decision.outcome != Outcome.APPROVE:
                record, values = decided.records[row], decided.inputs.rows[row].tolist()
                alert = scorer.alert(
                    decision,
                    decided.inputs.features,
                    values,
                    decided.inputs.coverage(row),
                    decided.scored.models[row],
                )
                yield alert_record(alert, record.key, trace_headers(record.headers), self._publishing.alerts)

    def _activity(self, folded: FoldedChunks, sources: Sequence[SourceOffset]) -> list[FactsByPartition]:
        """Return each chunk's facts about the entities of its transactions."""
        if not self._publishing.activity_partitions or not sources:
            return [{} for _ in folded.slices]
        indexes = Sources(
            self._fold.log.topic_id,
            [source.partition for source in sources],
            [source.offset for source in sources],
        )
        facts = transaction_facts(folded.touched.times_ms, folded.digests, indexes)
        parts = [chunk_slice.rows for chunk_slice in folded.slices]
        return entity_records(folded.touched, facts, self._publishing.activity_partitions, parts)


def _decisions(
    decisions: Iterable[Decision], records: Iterable[Record], encoding: Encoding
) -> Iterable[OutRecord]:
    for decision, record in zip(decisions, records, strict=True):
        yield decision_record(decision, record.key, trace_headers(record.headers), encoding)
