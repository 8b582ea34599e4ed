"""What a chunk becomes, computed in memory: nothing is awaited, sent or stored here."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from app.adapters.codec import decode_transaction
from app.adapters.kafka_sender import OutRecord
from app.domain.acceptance import Acceptance
from app.domain.decision import Decision, Outcome
from app.domain.transaction import Transaction
from app.errors import InvalidEvent
from app.features.catalog import vector
from app.features.fold import observe
from app.features.profile import Profile
from app.features.state import encode
from app.scoring import scorer
from app.scoring.model import Model
from app.scoring.scorer import Scored
from app.streaming.chunks import Chunk
from app.streaming.profiles import ProfileCache
from app.streaming.records import alert_record, dead_letter, decision_record, trace_headers
from app.streaming.stages import Stopwatch


class SourceLog(NamedTuple):
    """The log that profiles are folded from. A topic that was deleted and made again is another incarnation."""

    topic: str
    incarnation: int


class Rejected(NamedTuple):
    """A record that will never be scored."""

    record: Any
    error: InvalidEvent


class Accepted(NamedTuple):
    """A record that may change its customer's profile."""

    record: Any
    transaction: Transaction


class Applied(NamedTuple):
    """A record that did change its customer's profile."""

    record: Any
    scored: Scored


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
    sent_ms: list[int]
    """Timestamps of the decided records."""
    rejected: list[Rejected]
    replayed: int
    duplicate: int
    late: int

    @property
    def records(self) -> int:
        """How many records the chunk had; every one is decided, rejected, replayed or a duplicate."""
        return len(self.decisions) + len(self.rejected) + self.replayed + self.duplicate


class ChunkScorer:
    """The computed part of the hot path. ``model`` may be replaced between two chunks."""

    def __init__(self, log: SourceLog, acceptance: Acceptance, profiles: ProfileCache, model: Model) -> None:
        self.model = model
        self._log = log
        self._acceptance = acceptance
        self._profiles = profiles

    def compute(self, chunk: Chunk, now_ms: int, watch: Stopwatch) -> Work:
        """Load, decode, fold, score, decide and encode a chunk. Changes the cached profiles in place."""
        model, partition = self.model, chunk.partition
        number, profiles = self._profiles.take(partition, {r.key for r in chunk.records if r.key})
        watch.lap("load")
        fresh = [record for record in chunk.records if not self._was_applied(record, profiles)]
        accepted, rejected = self._decode(fresh, now_ms)
        watch.lap("decode")
        applied = list(self._fold(accepted, profiles))
        watch.lap("fold")
        scored = [entry.scored for entry in applied]
        chances = scorer.score(model, scored)
        watch.lap("score")
        decisions = scorer.decide(scored, chances, model, self._log.topic, partition, now_ms)
        work = Work(
            partition=partition,
            number=number,
            last_offset=chunk.records[-1].offset,
            decisions=[
                decision_record(decision, entry.record.key, trace_headers(entry.record.headers))
                for decision, entry in zip(decisions, applied, strict=True)
            ],
            alerts=list(_alerts(decisions, applied, model)),
            dead_letters=[dead_letter(*entry) for entry in rejected],
            profiles={key: encode(profiles[key]) for key in {entry.record.key for entry in applied}},
            outcomes=[decision.outcome for decision in decisions],
            sent_ms=[entry.record.timestamp for entry in applied],
            rejected=rejected,
            replayed=len(chunk.records) - len(fresh),
            duplicate=len(accepted) - len(applied),
            late=sum(entry.seen.late for entry in scored),
        )
        watch.lap("encode")
        return work

    def _was_applied(self, record: Any, profiles: dict[bytes, Profile]) -> bool:
        """A replay: its profile is at or past it, so its decision, alert or dead letter was delivered too."""
        profile = profiles.get(record.key)
        return (
            profile is not None
            and record.offset <= profile.applied_offset
            and profile.incarnation == self._log.incarnation
        )

    def _decode(self, records: Iterable[Any], now_ms: int) -> tuple[list[Accepted], list[Rejected]]:
        accepted, rejected = [], []
        reference_time, check = self._acceptance.reference_time, self._acceptance.check
        for record in records:
            try:
                transaction = decode_transaction(record.value)
                check(
                    transaction, key=record.key or b"", reference_ms=reference_time(record.timestamp, now_ms)
                )
            except InvalidEvent as error:
                rejected.append(Rejected(record, error))
            else:
                accepted.append(Accepted(record, transaction))
        return accepted, rejected

    def _fold(self, accepted: Iterable[Accepted], profiles: dict[bytes, Profile]) -> Iterable[Applied]:
        """Each transaction changes its profile once, even when a producer sent it under several offsets."""
        for record, transaction in accepted:
            profile = profiles[record.key]
            seen = observe(profile, transaction)
            if seen is None:
                continue
            profile.incarnation, profile.applied_offset = self._log.incarnation, record.offset
            yield Applied(record, Scored(transaction, seen, vector(transaction, seen), record.offset))


def _alerts(decisions: Iterable[Decision], applied: Iterable[Applied], model: Model) -> Iterable[OutRecord]:
    for decision, (record, scored) in zip(decisions, applied, strict=True):
        if decision.outcome != Outcome.APPROVE:
            yield alert_record(
                scorer.alert(decision, scored, model), record.key, trace_headers(record.headers)
            )
