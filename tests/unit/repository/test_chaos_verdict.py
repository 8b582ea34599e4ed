"""The verdict on a chaos run finds each kind of harm in a log made by hand."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

from tests.chaos.scenario import phases
from tests.chaos.traffic import BAD, START_MS, transactions
from tests.chaos.verdict import (
    Decisions,
    Figures,
    Letter,
    Source,
    check_alerts,
    check_dead_letters,
    check_profiles,
    check_stores,
    letter,
    read_source,
)
from tests.profile_format import NEVER_MS, StoredProfile, write_profile
from tests.support import oracle

CUSTOMERS = 5


class Read(NamedTuple):
    key: bytes | None
    value: bytes | None
    partition: int = 0
    offset: int = 0
    timestamp: int = START_MS
    headers: tuple[tuple[str, bytes], ...] = ()


@pytest.fixture
def source() -> Source:
    sent = transactions(100, seed=1, customers=CUSTOMERS)
    return read_source(Read(each.key, each.value, offset=at) for at, each in enumerate(sent))


@pytest.fixture
def changelog(source: Source) -> dict[bytes, bytes]:
    return {name.encode(): profile(customer) for name, customer in source.customers.items()}


def profile(customer: oracle.Customer, applied: int = 0) -> bytes:
    """A stored profile with the fields that the verdict reads."""
    return write_profile(
        StoredProfile(
            wide=False,
            topic_id=1,
            applied_offset=customer.last_offset,
            applied=customer.applied + applied,
            first_seen_ms=0,
            evicted_ms=0,
            base_ms=0,
            place=(NEVER_MS, 0.0, 0.0),
            starts=(0, 0, 0, 0),
            newest_sums=customer.sums,
            squares=(0, 0, 0, 0),
            kept=(),
        )
    )


def profile_figures(source: Source, changelog: dict[bytes, bytes]) -> Figures:
    figures = Figures()
    check_profiles(source.customers, changelog, figures)
    return figures


def decisions(source: Source) -> Iterator[dict[str, Any]]:
    for customer in source.customers.values():
        expected = oracle.expected_features(customer)
        for event in customer.events:
            features = expected.get(event.transaction_id, [0.0] * len(oracle.FEATURES))
            yield {
                "transaction_id": event.transaction_id,
                "decision_id": f"d-{event.transaction_id}",
                "score": 0.5,
                "outcome": "review",
                "thresholds": {"review": 0.4, "decline": 0.8},
                "features": [None if value != value else value for value in features],  # noqa: PLR0124
            }


def decided(
    source: Source, published: Iterator[dict[str, Any]] | list[dict[str, Any]]
) -> tuple[Figures, set[str]]:
    figures, found = Figures(), Decisions(source.sent_ms)
    for decision in published:
        found.take(json.dumps(decision).encode(), START_MS + 5, source, figures)
    found.compare(source.customers, figures)
    return figures, found.suspicious


async def stream(records: list[Read]) -> AsyncIterator[Read]:
    for record in records:
        yield record


def test_a_run_without_harm_is_clean(source: Source, changelog: dict[bytes, bytes]) -> None:
    figures = profile_figures(source, changelog)
    found, suspicious = decided(source, decisions(source))

    assert (figures.transactions, figures.clean, found.clean) == (100, True, True)
    assert len(suspicious) == 100


@pytest.mark.parametrize(("applied", "figure"), [(-1, "lost"), (1, "double_counted")])
def test_a_transaction_lost_or_counted_twice_is_found(
    source: Source, changelog: dict[bytes, bytes], applied: int, figure: str
) -> None:
    changelog[b"c1"] = profile(source.customers["c1"], applied)
    figures = profile_figures(source, changelog)

    assert (getattr(figures, figure), figures.customers_wrong_changelog, figures.clean) == (1, 1, False)


def test_one_lost_and_one_counted_twice_do_not_cancel_out(
    source: Source, changelog: dict[bytes, bytes]
) -> None:
    customer = source.customers["c1"]
    swapped = [*customer.events[:-2], customer.events[-1], customer.events[-1]]
    changelog[b"c1"] = profile(customer._replace(events=swapped))

    assert profile_figures(source, changelog).customers_wrong_changelog == 1


@pytest.mark.parametrize("change", ["gone", "invented"])
def test_a_missing_or_invented_customer_is_found(
    source: Source, changelog: dict[bytes, bytes], change: str
) -> None:
    if change == "gone":
        del changelog[b"c1"]
    else:
        changelog[b"nobody"] = changelog[b"c1"]

    assert not profile_figures(source, changelog).clean


def test_a_store_that_differs_from_the_changelog_is_found(changelog: dict[bytes, bytes]) -> None:
    figures = Figures()
    check_stores(changelog, changelog | {b"c1": changelog[b"c2"]}, figures)

    assert (figures.customers_wrong_rocksdb, figures.clean) == (1, False)


@pytest.mark.parametrize(
    ("spoil", "figure"),
    [
        (lambda published: published[1:], "decisions_missing"),
        (
            lambda published: [*published, published[0] | {"transaction_id": "c9-1"}],
            "decisions_without_transaction",
        ),
        (lambda published: [*published, published[0] | {"score": 0.6}], "repeats_that_differ"),
        (lambda published: [published[0] | {"outcome": "approve"}, *published[1:]], "decisions_wrong"),
        (
            lambda published: [published[0] | {"features": [0.0] * len(oracle.FEATURES)}, *published[1:]],
            "decisions_wrong",
        ),
    ],
    ids=["missing", "invented", "repeat", "outcome", "features"],
)
def test_a_wrong_decision_is_found(source: Source, spoil: Any, figure: str) -> None:
    figures, _ = decided(source, spoil(list(decisions(source))))

    assert (getattr(figures, figure), figures.clean) == (1, False)


def test_an_identical_repeat_of_a_decision_is_allowed(source: Source) -> None:
    published = list(decisions(source))
    figures, _ = decided(source, [*published, published[0]])

    assert (figures.decisions_repeated, figures.clean) == (1, True)


@pytest.mark.parametrize(
    ("given", "figure", "clean"),
    [
        ([("t1", "a1")], "alerts_missed", False),
        ([("t1", "a1"), ("t2", "a2"), ("t3", "a3")], "alerts_spurious", False),
        ([("t1", "a1"), ("t2", "a2"), ("t2", "b2")], "alert_ids_beyond_one", False),
        ([("t1", "a1"), ("t2", "a2"), ("t2", "a2")], "alerts_repeated", True),
    ],
)
async def test_missing_spurious_and_repeated_alerts_are_counted(
    given: list[tuple[str, str]], figure: str, clean: bool
) -> None:
    figures = Figures()
    records = [
        Read(b"", msgspec.json.encode({"transaction_id": name, "alert_id": alert})) for name, alert in given
    ]
    await check_alerts(stream(records), {"t1", "t2"}, figures)

    assert (getattr(figures, figure), figures.clean) == (1, clean)


@pytest.mark.parametrize(
    ("letters", "missing", "spurious"),
    [
        ([b"x", b"x", b"y"], 0, 0),
        ([b"x", b"x", b"x", b"y"], 0, 0),
        ([b"x", b"y"], 1, 0),
        ([b"x", b"x", b"Y"], 1, 1),
    ],
)
async def test_missing_and_spurious_dead_letters_are_counted(
    letters: list[bytes], missing: int, spurious: int
) -> None:
    figures = Figures()
    bad = Counter({Letter(None, b"x", ()): 2, Letter(None, b"y", ()): 1})
    await check_dead_letters(stream([Read(None, value) for value in letters]), bad, figures)

    assert (figures.dead_letters_missing, figures.dead_letters_spurious) == (missing, spurious)


def test_bad_records_are_recognised_by_their_header() -> None:
    good = next(transactions(1, seed=1, customers=1))
    records = [Read(good.key, good.value), Read(None, b"{", offset=1, headers=(BAD,))]

    assert read_source(records).bad == {Letter(None, b"{", ()): 1}


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ((("from", b"1"), BAD, ("fraud.error.code", b"not_json")), True),
        ((("__streams.errors.topic", b"t"), ("from", b"1")), True),
        ((("from", b"2"), BAD), False),
        ((BAD,), False),
    ],
)
def test_a_dead_letter_keeps_the_headers_of_its_record(
    headers: tuple[tuple[str, bytes], ...], same: bool
) -> None:
    sent = Read(None, b"{", headers=(BAD, ("from", b"1")))
    assert (letter(Read(None, b"{", headers=headers)) == letter(sent)) is same


@pytest.mark.parametrize(
    ("faults_ms", "recovered_ms", "expected"),
    [
        ([], 0, ["before", "before", "before"]),
        ([150, 180], 200, ["before", "during", "after"]),
        ([150], 0, ["before", "during", "during"]),
        ([150, 220], 200, ["before", "during", "during"]),
    ],
    ids=["no fault", "recovered", "recovery not awaited", "fault after the recovery"],
)
def test_latency_counts_as_after_only_when_the_last_fault_is_recovered(
    faults_ms: list[int], recovered_ms: int, expected: list[str]
) -> None:
    found = phases(np.array([100, 160, 300]), np.array([110.0, 190.0, 310.0]), faults_ms, recovered_ms)

    assert [next(name for name in found if found[name][i]) for i in range(3)] == expected
