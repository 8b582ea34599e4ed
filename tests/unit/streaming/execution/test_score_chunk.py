"""Every record of a chunk is decided, rejected, ignored, already applied or a duplicate, and counted once."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

from app.adapters.kafka.partitioner import partition_of
from app.adapters.serde.json_codec import encode_event
from app.domain.acceptance import Acceptance
from app.domain.decision import ModelReference, Thresholds
from app.domain.identifiers import digest64
from app.domain.transaction import Transaction
from app.errors import InvalidReason, StateCorrupt
from app.features import catalog
from app.features.delayed_features import Delayed, Touched, absent, compute_delayed
from app.features.state import lineage
from app.features.window import Bounds
from app.processing.chunk import Chunk
from app.processing.decode_chunk import SourceLog
from app.processing.fold_chunk import ChunkFold
from app.processing.score_chunk import ChunkScorer, ScoredChunk
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch
from app.scoring.lineup import Lineup
from app.scoring.model import Distribution, Rows, Scores
from tests.profile_format import read_profile

NOW_MS = 1_760_000_000_000
BOUNDS = Bounds(86_400_000, 4096)
TOPIC_ID = 2**63 + 5
SENDERS = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Record(NamedTuple):
    """A record as the Kafka client gives it."""

    key: bytes | None
    value: bytes | None
    offset: int
    topic: str = "transactions"
    partition: int = 3
    timestamp: int = NOW_MS
    headers: tuple[tuple[str, Any], ...] = ()


class LargeAmounts:
    """Scores amounts above 1,000 as suspicious."""

    reference = ModelReference(name="large", version="1", digest="d")
    thresholds = Thresholds(review=0.5, decline=0.9)
    distributions: dict[str, Distribution] = {}  # noqa: RUF012  # the protocol asks for a dict; it is never changed

    def score(self, rows: Rows) -> Scores:
        return np.where(rows[:, 0] > 1_000, 0.7, 0.1)

    def contributions(self, rows: Rows) -> None:  # noqa: ARG002  # the protocol's signature
        return None


class Disk(dict[bytes, bytes]):
    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:  # noqa: ARG002  # the protocol's signature
        return [self.get(key) for key in keys]


def scorer(disk: Disk | None = None, topic_id: int = TOPIC_ID, lineup: Lineup | None = None) -> ChunkScorer:
    """A worker that has just started on ``disk``."""
    profiles = StateCache(Disk() if disk is None else disk, capacity_bytes=100_000)
    fold = ChunkFold(SourceLog("transactions", topic_id), Acceptance(), BOUNDS, profiles)
    return ChunkScorer(fold, lineup or Lineup(LargeAmounts()))


def checked_scorer(partitions: int) -> ChunkScorer:
    """A scorer that knows the number of partitions."""
    log = SourceLog("transactions", TOPIC_ID, partitions)
    fold = ChunkFold(log, Acceptance(), BOUNDS, StateCache(Disk(), 100_000))
    return ChunkScorer(fold, Lineup(LargeAmounts()))


Entities = Callable[[Touched], Delayed]


def compute(worker: ChunkScorer, *records: Record, entities: Entities = absent) -> ScoredChunk:
    chunk, watch = Chunk(3, list(records)), Stopwatch(lambda: 0.0)
    folded = worker.fold([chunk], watch)
    (work,) = worker.decide(folded, entities(folded.touched), NOW_MS, watch)
    return work


def record(offset: int, transaction_id: str = "", customer: str = "c1", amount: int = 100) -> Record:
    transaction = Transaction(
        transaction_id=transaction_id or f"t{offset}",
        customer_id=customer,
        terminal_id="m1",
        event_time=NOW_MS - 10_000 + offset,
        amount_minor=amount,
        currency="EUR",
    )
    return Record(customer.encode(), encode_event(transaction), offset)


def decided(work: ScoredChunk) -> list[str]:
    return [msgspec.json.decode(entry.value or b"")["transaction_id"] for entry in work.decisions]


def applied(work: ScoredChunk, key: bytes) -> int:
    return read_profile(work.states[key]).applied


def test_a_key_of_another_partition_is_rejected_and_other_records_are_scored() -> None:
    here = next(f"c{n}" for n in range(100) if partition_of(b"c%d" % n, 8) == 3)
    there = next(f"c{n}" for n in range(100) if partition_of(b"c%d" % n, 8) != 3)

    work = compute(checked_scorer(8), record(1, customer=there), record(2, customer=here))

    assert [InvalidReason.WRONG_PARTITION] == [entry.error.reason for entry in work.rejected]
    assert ["t2"] == decided(work)
    assert {here.encode()} == work.states.keys()


def test_without_a_known_partitioner_no_key_is_rejected_for_its_partition() -> None:
    work = compute(scorer(), *(record(n, customer=f"c{n}") for n in range(20)))

    assert [] == work.rejected


def test_every_valid_transaction_is_decided_in_order() -> None:
    work = compute(scorer(), record(1), record(2, customer="c2"), record(3))

    assert ["t1", "t2", "t3"] == decided(work)
    assert [b"c1", b"c2", b"c1"] == [entry.key for entry in work.decisions]


def test_a_customer_with_several_records_is_written_once_with_the_last_offset() -> None:
    work = compute(scorer(), record(1), record(2), record(7))

    assert {b"c1"} == set(work.states)
    assert (TOPIC_ID, 7) == lineage(work.states[b"c1"])
    assert applied(work, b"c1") == 3


def test_only_suspicious_transactions_become_alerts() -> None:
    work = compute(scorer(), record(1), record(2, amount=5_000), record(3))

    assert ["alert-t2"] == [msgspec.json.decode(entry.value or b"")["alert_id"] for entry in work.alerts]


def test_an_already_applied_record_changes_nothing() -> None:
    worker = scorer()
    disk = Disk(compute(worker, record(1), record(2)).states)

    work = compute(scorer(disk), record(1), record(2), record(3))

    assert (2, ["t3"], 3) == (work.already_applied, decided(work), applied(work, b"c1"))


def test_a_chunk_of_already_applied_records_writes_nothing() -> None:
    disk = Disk(compute(scorer(), record(1, amount=5_000)).states)

    work = compute(scorer(disk), record(1, amount=5_000))

    assert (1, [], [], {}) == (work.already_applied, work.decisions, work.alerts, work.states)


def test_offsets_of_a_topic_created_again_are_not_already_applied() -> None:
    disk = Disk(compute(scorer(), record(1), record(2)).states)

    work = compute(scorer(disk, topic_id=6), record(0, "new"))

    assert (0, ["new"]) == (work.already_applied, decided(work))
    assert lineage(work.states[b"c1"]) == (6, 0)


def test_a_transaction_sent_again_under_another_offset_is_a_duplicate() -> None:
    work = compute(scorer(), record(1, "t"), record(2, "t"), record(3, "u"))

    assert (1, ["t", "u"], 2) == (work.duplicate, decided(work), applied(work, b"c1"))


def test_the_same_transaction_id_of_two_customers_is_not_a_duplicate() -> None:
    work = compute(scorer(), record(1, "t"), record(2, "t", customer="c2"))

    assert (0, ["t", "t"]) == (work.duplicate, decided(work))


def test_a_malformed_record_is_a_dead_letter_byte_for_byte() -> None:
    bad = Record(b"c1", b"\xff not JSON", 2, timestamp=17, headers=(("traceparent", b"x"), ("n", b"")))
    work = compute(scorer(), record(1), bad, record(3))

    (letter,) = work.dead_letters
    assert (b"c1", b"\xff not JSON", 17) == (letter.key, letter.value, letter.timestamp_ms)
    assert list(bad.headers) == list(letter.headers[:2])
    told = dict(letter.headers[2:])
    assert ("transactions", "3", "2") == tuple(
        told[f"__streams.errors.{name}"].decode() for name in ("topic", "partition", "offset")
    )
    assert told["fraud.error.code"] == InvalidReason.NOT_JSON.encode()
    assert ["t1", "t3"] == decided(work)


def test_a_record_under_another_customers_key_does_not_change_that_customer() -> None:
    stray = record(2)._replace(key=b"c2")
    work = compute(scorer(), record(1, customer="c2"), stray)

    assert [InvalidReason.KEY_MISMATCH] == [entry.error.reason for entry in work.rejected]
    assert applied(work, b"c2") == 1


@pytest.mark.parametrize("key", [None, b""])
def test_a_record_without_a_key_is_never_looked_up(key: bytes | None) -> None:
    """The store keeps its changelog offset under the empty key."""
    work = compute(scorer(Disk({b"": b"17"})), record(1)._replace(key=key))

    assert [InvalidReason.KEY_MISMATCH] == [entry.error.reason for entry in work.rejected]


@pytest.mark.parametrize("value", [record(1).value, b"not JSON"])
@pytest.mark.parametrize("stored", [b"?", bytes(192), bytes(193)])
def test_an_invalid_stored_profile_stops_the_chunk_and_is_not_overwritten(
    value: bytes, stored: bytes
) -> None:
    """The other customers of the chunk are not written either: a chunk is written as a whole."""
    disk = Disk({b"c1": stored})
    worker = scorer(disk)

    for _ in range(2):
        with pytest.raises(StateCorrupt) as stopped:
            compute(worker, record(0, customer="c2"), Record(b"c1", value, 1))
        # Where an operator finds the customer, without their id, and what to do.
        assert str(stopped.value).startswith(
            f"partition 3: the profile of the customer of offset 1 (digest of the key {digest64('c1').hex()}) cannot be decoded: "
        )
        assert "c1 " not in str(stopped.value)
        assert "FRAUDSTREAM_WORKER_DATA_DIR" in str(stopped.value)
        assert "fraudstream state rebuild" in str(stopped.value)
    assert disk == {b"c1": stored}


def test_only_trace_headers_are_copied() -> None:
    traced = record(1, amount=5_000)._replace(
        headers=(("traceparent", SENDERS), ("secret", b"x"), ("tracestate", b"a=b"), ("null", None))
    )
    work = compute(scorer(), traced)

    for entry in (*work.decisions, *work.alerts):
        assert [("traceparent", SENDERS), ("tracestate", b"a=b")] == list(entry.headers)[-2:]
        assert "secret" not in dict(entry.headers)


def test_every_record_is_counted_as_exactly_one_thing() -> None:
    disk = Disk(compute(scorer(), record(1)).states)
    chunk: list[Any] = [
        record(1),
        record(2, "t"),
        record(3, "t"),
        record(4),
        Record(None, None, 5),
        record(6),
    ]

    work = compute(scorer(disk), *chunk)

    assert (3, 1, 1, 1) == (len(work.decisions), len(work.rejected), work.already_applied, work.duplicate)
    assert len(chunk) == work.records
    assert (len(work.outcomes), len(work.sent_ms)) == (3, 3)
    assert work.last_offset == 6


def test_how_a_log_is_cut_into_chunks_changes_neither_profiles_nor_decisions() -> None:
    log = [record(offset, customer=f"c{offset % 3}", amount=offset * 100) for offset in range(30)]
    whole = compute(scorer(), *log)
    worker = scorer()
    parts = [compute(worker, *log[start : start + 7]) for start in range(0, 30, 7)]

    assert whole.decisions == [entry for part in parts for entry in part.decisions]
    assert whole.states == {key: value for part in parts for key, value in part.states.items()}


def test_the_decision_holds_the_features_in_the_catalogs_order() -> None:
    work = compute(scorer(), record(1, amount=300))

    features = dict(
        zip(catalog.NAMES, msgspec.json.decode(work.decisions[0].value or b"")["features"], strict=True)
    )
    assert (300, 1, None) == (
        features["transaction_amount"],
        features["customer_count_1h"],
        features["customer_seconds_since_last"],
    )


def test_without_activities_the_delayed_features_are_missing_and_the_decision_says_so() -> None:
    decision = msgspec.json.decode(compute(scorer(), record(1)).decisions[0].value or b"")

    assert ["entities_absent"] == decision["degraded"]
    assert {None} == set(decision["features"][catalog.DELAYED])


def test_activity_features_follow_profile_features() -> None:
    never_seen = {"terminal:m1": b"", "customer:c1": b""}
    work = compute(
        scorer(), record(1, amount=5_000), entities=lambda about: compute_delayed(about, never_seen)
    )
    decision, alert = (msgspec.json.decode(entry[0].value or b"") for entry in work[3:5])

    assert [] == decision["degraded"]
    assert [0] * 7 == decision["features"][catalog.DELAYED]
    assert {"value": 0.0, "state": "warming_up"} == alert["snapshot"]["terminal_risk_30d"]


def test_entities_are_looked_up_only_for_transactions_that_change_a_profile() -> None:
    worker, asked = scorer(), list[int]()

    def entities(about: Touched) -> Delayed:
        asked.extend(about.times_ms.tolist())
        return absent(about)

    compute(worker, record(1), entities=entities)
    compute(worker, record(1), record(2, "t1"), record(3), entities=entities)

    assert [NOW_MS - 9_999, NOW_MS - 9_997] == asked
