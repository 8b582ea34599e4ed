"""An entities worker: facts with impossible times are refused, and one corrupt state affects its own entity only."""

import struct
import time
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.serde.fact_codec import VERSION
from app.domain.acceptance import Acceptance
from app.features.activity import LABEL, TRANSACTION, observe, queries
from app.features.delayed_features import compute_delayed, touched
from app.processing.chunk import Chunk
from app.processing.entity_work import EntityChunk, FactFold
from app.processing.source_ends import SourceEnds
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch
from tests.support.wire.hostile import DAMAGED, KEYS
from tests.unit.features.test_delayed_features import transaction
from tests.unit.loops.loop import NOW_MS, TIMESTAMPS, Nothing, Record, surrounded

DAY_MS = 86_400_000
_FACT = struct.Struct("<BBBBiqqqqq")
FIELDS = {
    "source_partition": 0,
    "time_ms": NOW_MS - 8 * DAY_MS,
    "reported_ms": NOW_MS - DAY_MS,
    "transaction": 1,
    "source_topic_id": 5,
    "source_offset": 0,
}
NUMBERS = (0, 1, -1, 2**31 - 1, -(2**31), 2**51, 2**61, 2**63 - 1, -(2**63), -(2**61), NOW_MS + DAY_MS)


def fact(key: bytes | None = b"terminal:m1", kind: int = TRANSACTION, **changes: int) -> Record:
    fields = FIELDS | changes
    return Record(key, _FACT.pack(VERSION, kind, 1, 0, *fields.values()))


def fold(store: Any = None, log: SourceEnds = SourceEnds()) -> FactFold:  # noqa: B008  # never changed
    return FactFold(7, StateCache(store or Nothing(), 10**6), Acceptance(), lambda: log)


def folded(worker: FactFold, *records: Record) -> EntityChunk:
    numbered = [one._replace(offset=offset) for offset, one in enumerate(records)]
    return worker.compute(Chunk(0, numbered), Stopwatch(time.monotonic))


def reasons(work: EntityChunk) -> list[str]:
    return [entry.error.reason for entry in work.rejected]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"time_ms": 2**61}, "future_time"),
        ({"time_ms": 2**51}, "future_time"),
        ({"time_ms": NOW_MS + DAY_MS}, "future_time"),
        ({"time_ms": -(2**61)}, "absurd_time"),
        ({"time_ms": 0}, "absurd_time"),
        ({"kind": LABEL, "reported_ms": 2**61}, "future_time"),
        ({"kind": LABEL, "reported_ms": -(2**61)}, "absurd_time"),
        ({"kind": LABEL, "reported_ms": FIELDS["time_ms"] - 1}, "absurd_time"),
    ],
    ids=str,
)
def test_a_fact_of_an_impossible_time_is_refused_and_wipes_nothing(changes: dict[str, Any], why: str) -> None:
    """The attack: a fact of the time 2**61 evicted every hour of a terminal, and its state could not be read again."""
    before = folded(fold(), fact(), fact(source_offset=1))
    worker = fold()
    work = folded(worker, fact(), fact(**changes), fact(source_offset=1))

    assert reasons(work) == [why]
    observe(list(work.states.values()), queries(*[_zeros(1)] * 2))
    assert _counted(work) == _counted(before) == 2.0


@pytest.mark.parametrize(
    "changes",
    [
        {"source_offset": 2**62},
        {"source_offset": 10},
        {"source_offset": -1},
        {"source_partition": 2},
        {"source_partition": -1},
        {"source_topic_id": 6, "source_offset": -1},
        {"source_topic_id": 6, "source_partition": -1},
    ],
    ids=str,
)
def test_a_fact_of_a_transaction_that_cannot_exist_is_refused_and_no_later_one_is_a_repeat(
    changes: dict[str, Any],
) -> None:
    """The attack: a fact of the offset 2**62 made repeats of all later facts about its entity, for ever."""
    log = SourceEnds(5, (10, 10))
    work = folded(fold(log=log), fact(), fact(**changes), fact(source_offset=1), fact(source_offset=1))

    assert reasons(work) == ["unknown_source"]
    assert (work.applied, work.repeated) == (2, 1)
    assert _counted(work) == 2.0


def test_facts_of_another_log_are_folded_and_their_repeats_recognised() -> None:
    """After a failover, or when the topic was created again: the ends of the log that is there now do not bound them."""
    elsewhere = fact(source_topic_id=6, source_partition=9, source_offset=2**40)
    work = folded(fold(log=SourceEnds(5, (10,))), elsewhere, elsewhere, fact())

    assert (work.applied, work.repeated, work.rejected) == (2, 1, [])


OFFSETS = st.integers(0, 12)


@given(st.lists(st.tuples(st.integers(0, 1), OFFSETS), max_size=12), st.integers(-1, 2**63 - 1))
def test_no_forged_offset_changes_which_facts_are_repeats(
    genuine: list[tuple[int, int]], forged: int
) -> None:
    """The facts of a partition ascend but for repeats; those of a forged offset lie between any two of them."""
    log = SourceEnds(5, (13, 13))
    facts = [fact(source_partition=partition, source_offset=offset) for partition, offset in genuine]
    mixed = [
        one
        for each in facts
        for one in (each, fact(source_offset=forged if forged < 0 or forged > 12 else 13))
    ]
    expected, work = folded(fold(log=log), fact(), *facts), folded(fold(log=log), fact(), *mixed)

    assert (work.applied, work.repeated) == (expected.applied, expected.repeated)
    assert len(work.rejected) == len(facts)


def test_facts_of_transactions_that_workers_accept_are_folded() -> None:
    """A producer's timestamp may lie an hour ahead of the broker, and its event time five minutes ahead of that."""
    ahead = fact(time_ms=NOW_MS + 3_600_000 + 300_000)
    reported = fact(kind=LABEL, reported_ms=NOW_MS + 3_600_000 + 300_000)

    assert reasons(folded(fold(), ahead, reported, fact(time_ms=946_684_800_000))) == []


def test_no_fact_of_the_family_ends_the_loop_or_changes_its_neighbours() -> None:
    sound = [fact(b"terminal:m2"), fact(b"terminal:m3")]
    compute = lambda chunk: fold().compute(chunk, Stopwatch(time.monotonic))  # noqa: E731  # one line for one use
    expected = folded(fold(), *sound).states
    for name, work in surrounded(_family(), sound, compute):
        assert {b"terminal:m2", b"terminal:m3"} <= work.states.keys(), name
        assert len(work.rejected) <= 1, name
        assert _counts(work.states[b"terminal:m2"]) == _counts(expected[b"terminal:m2"]), name
        for state in work.states.values():
            assert observe([state], queries(_zeros(1), _zeros(1))).counts.shape == (1, 6), name


@given(
    st.lists(st.tuples(st.sampled_from([TRANSACTION, LABEL]), *[st.sampled_from(NUMBERS)] * 6), max_size=6)
)
def test_states_after_any_facts_can_be_read_again(rows: list[tuple[int, ...]]) -> None:
    records = [
        Record(b"terminal:m1", _FACT.pack(VERSION, kind, 1, 0, max(-(2**31), min(first, 2**31 - 1)), *rest))
        for kind, first, *rest in rows
    ]
    worker = fold()
    for record in [*records, fact(source_topic_id=99)]:
        folded(worker, record)
    work = folded(worker, fact(source_topic_id=98)._replace(offset=10**6))

    assert work.rejected == []


def test_a_state_that_is_no_activity_rejects_the_facts_of_its_entity_and_stays_as_it_is() -> None:
    for stored in (b"?", bytes(8), bytes(56), b"\xff" * 64):

        class Damaged(Nothing):
            def read(self, _: int, keys: list[bytes], stored: bytes = stored) -> list[bytes | None]:
                return [stored if key == b"terminal:m1" else None for key in keys]

        work = folded(fold(Damaged()), fact(), fact(b"terminal:m2"), fact(source_offset=1))

        assert reasons(work) == ["state_corrupt", "state_corrupt"]
        assert (list(work.states), work.applied, work.repeated) == ([b"terminal:m2"], 1, 0)


def _family() -> Iterator[tuple[str, Record]]:
    sound = fact().value or b""
    heads = [sound[:at] + bytes([byte]) + sound[at + 1 :] for at, byte in product(range(4), (0, 3, 7, 255))]
    for name, value in [
        *DAMAGED.items(),
        ("a byte more", sound + b"\0"),
        *((str(head[:4]), head) for head in heads),
    ]:
        yield name, Record(b"terminal:m1", value)
    for key in KEYS:
        yield f"key {key!r:.20}", fact(key)
    for timestamp in TIMESTAMPS:
        yield f"timestamp {timestamp}", fact()._replace(timestamp=timestamp)
    for field, number, kind in product(FIELDS, NUMBERS, (TRANSACTION, LABEL)):
        if field != "source_partition" or -(2**31) <= number < 2**31:
            yield f"{field}: {number}, kind {kind}", fact(b"terminal:m1", kind, **{field: number})


def _zeros(count: int) -> Any:
    return touched([transaction(number) for number in range(count)]).times_ms * 0


def _counts(state: bytes) -> list[float]:
    about = touched([transaction(1)])
    moved = about._replace(times_ms=about.times_ms * 0 + NOW_MS)
    features: list[float] = (
        compute_delayed(moved, {"terminal:m1": state, "customer:c1": b""}).features[0].tolist()
    )
    return features


def _counted(work: EntityChunk) -> float:
    """Transactions of the terminal in the longest window."""
    return _counts(work.states[b"terminal:m1"])[2]
