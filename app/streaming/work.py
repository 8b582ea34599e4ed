"""What a chunk becomes, computed in memory: nothing is awaited, sent or stored here."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from app.adapters.codec import decode_transaction
from app.adapters.kafka_sender import OutRecord
from app.domain.acceptance import Acceptance
from app.domain.decision import Decision, Outcome
from app.domain.transaction import Transaction
from app.errors import InvalidEvent
from app.features.columns import events
from app.features.fold import APPLIED, REPEATED, REPLAYED, Folded, fold
from app.features.state import EMPTY, lineage
from app.features.window import Bounds
from app.scoring import scorer
from app.scoring.model import Model
from app.scoring.scorer import Seen, SourcePartition
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


class Before(NamedTuple):
    """The profiles of a chunk's customers, as the chunks before it left them."""

    places: dict[bytes, int]
    """Index in ``profiles`` of each key."""
    profiles: list[bytes]

    def has_applied(self, record: Any, incarnation: int) -> bool:
        """A replay: its customer's profile is past it, so what it became was delivered before."""
        if not record.key:
            return False
        applied_in, applied_offset = lineage(self.profiles[self.places[record.key]] or EMPTY)
        return applied_in == incarnation and bool(record.offset <= applied_offset)


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

    def __init__(
        self, log: SourceLog, acceptance: Acceptance, bounds: Bounds, profiles: ProfileCache, model: Model
    ) -> None:
        self.model = model
        self._log = log
        self._acceptance = acceptance
        self._bounds = bounds
        self._profiles = profiles

    def compute(self, chunk: Chunk, now_ms: int, watch: Stopwatch) -> Work:
        """Load, decode, fold, score, decide and encode a chunk. Puts the changed profiles into the cache."""
        model, source = self.model, SourcePartition(self._log.topic, chunk.partition)
        before = self._load(chunk)
        watch.lap("load")
        accepted, rejected = self._decode(chunk.records, before, now_ms)
        watch.lap("decode")
        transactions = [entry.transaction for entry in accepted]
        folded = self._fold(accepted, transactions, before)
        applied = np.flatnonzero(folded.status == APPLIED).tolist()
        records = [accepted[i].record for i in applied]
        changed = {record.key: folded.profiles[before.places[record.key]] for record in records}
        number = self._profiles.put(chunk.partition, changed)
        watch.lap("fold")
        seen = scorer.seen(transactions, folded, applied)
        chances = model.score(seen.rows)
        watch.lap("score")
        decisions = scorer.decide(seen, [record.offset for record in records], chances, model, source, now_ms)
        work = Work(
            partition=chunk.partition,
            number=number,
            last_offset=chunk.records[-1].offset,
            decisions=list(_decisions(decisions, records)),
            alerts=list(_alerts(decisions, records, seen, model)),
            dead_letters=[dead_letter(*entry) for entry in rejected],
            profiles=changed,
            outcomes=[decision.outcome for decision in decisions],
            sent_ms=[record.timestamp for record in records],
            rejected=rejected,
            replayed=len(chunk.records) - len(rejected) - int(np.count_nonzero(folded.status != REPLAYED)),
            duplicate=int(np.count_nonzero(folded.status == REPEATED)),
            late=int(np.count_nonzero(folded.late)),
        )
        watch.lap("encode")
        return work

    def _load(self, chunk: Chunk) -> Before:
        keys = list(dict.fromkeys(record.key for record in chunk.records if record.key))
        places = {key: place for place, key in enumerate(keys)}
        return Before(places, self._profiles.take(chunk.partition, keys))

    def _decode(
        self, records: Iterable[Any], before: Before, now_ms: int
    ) -> tuple[list[Accepted], list[Rejected]]:
        """What may change a profile, and what never will. A rejected record that was replayed is neither."""
        accepted, rejected = [], []
        reference_time, check = self._acceptance.reference_time, self._acceptance.check
        for record in records:
            try:
                transaction = decode_transaction(record.value)
                check(
                    transaction, key=record.key or b"", reference_ms=reference_time(record.timestamp, now_ms)
                )
            except InvalidEvent as error:
                if not before.has_applied(record, self._log.incarnation):
                    rejected.append(Rejected(record, error))
            else:
                accepted.append(Accepted(record, transaction))
        return accepted, rejected

    def _fold(
        self, accepted: Sequence[Accepted], transactions: Sequence[Transaction], before: Before
    ) -> Folded:
        columns = events(
            transactions,
            [before.places[entry.record.key] for entry in accepted],
            [entry.record.offset for entry in accepted],
        )
        return fold(before.profiles, columns, self._bounds, self._log.incarnation)


def _decisions(decisions: Iterable[Decision], records: Iterable[Any]) -> Iterable[OutRecord]:
    for decision, record in zip(decisions, records, strict=True):
        yield decision_record(decision, record.key, trace_headers(record.headers))


def _alerts(
    decisions: Sequence[Decision], records: Sequence[Any], seen: Seen, model: Model
) -> Iterable[OutRecord]:
    for row, decision in enumerate(decisions):
        if decision.outcome != Outcome.APPROVE:
            record, values = records[row], seen.rows[row].tolist()
            alert = scorer.alert(decision, values, seen.known(row), model)
            yield alert_record(alert, record.key, trace_headers(record.headers))
