"""Checks the outputs of a run against an independent fold of its source log.

Four witnesses: the changelog's newest values, RocksDB of each partition's last owner, decisions and alerts. A profile
carries a count, sums and an offset, so that what is lost and what is counted twice cannot cancel out.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from tests.chaos.traffic import BAD
from tests.profile_format import StoredProfile, read_profile
from tests.support import oracle

ADDED_HEADERS = ("__streams.errors.", "fraud.")
_FEATURES = len(oracle.FEATURES)


class Figures(msgspec.Struct, kw_only=True):
    """Counts of a run; ``clean`` tells which of them must be 0."""

    transactions: int = 0
    customers: int = 0
    lost: int = 0
    """Transactions that are in no profile of the changelog."""
    double_counted: int = 0
    customers_wrong_changelog: int = 0
    """Customers with a wrong count, sum or offset."""
    customers_wrong_rocksdb: int = 0
    decisions: int = 0
    decisions_missing: int = 0
    decisions_wrong: int = 0
    """Decisions with features that differ from the recount, or with an outcome that differs from their score's."""
    decisions_without_transaction: int = 0
    decisions_repeated: int = 0
    """Delivered again with the same id: allowed."""
    repeats_that_differ: int = 0
    alerts: int = 0
    alerts_missed: int = 0
    alerts_spurious: int = 0
    alerts_repeated: int = 0
    """Delivered again with the same id: allowed."""
    alert_ids_beyond_one: int = 0
    """Further ids of the same transaction: alerts that remain double after deduplication."""
    bad_records: int = 0
    dead_letters_missing: int = 0
    dead_letters_spurious: int = 0
    late_writes: int = 0
    """Versions of a profile in the changelog behind one that has applied more: a former owner's."""
    late_writes_refused: int = 0
    """Requests of a former owner that a broker refused."""

    @property
    def clean(self) -> bool:
        """True when nothing is lost, counted twice or wrong, and no alert is missing."""
        allowed = {
            *("transactions", "customers", "decisions", "alerts", "bad_records"),
            *("decisions_repeated", "alerts_repeated", "late_writes", "late_writes_refused"),
        }
        return not any(getattr(self, name) for name in self.__struct_fields__ if name not in allowed)


class Letter(NamedTuple):
    """An invalid record as it was sent."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class Source(NamedTuple):
    """The source log, read once."""

    customers: dict[str, oracle.Customer]
    bad: Counter[Letter]
    sent_ms: dict[str, int]
    """Timestamp of each transaction's record."""


class Decided(msgspec.Struct, gc=False):
    """The checked part of a decision."""

    transaction_id: str
    decision_id: str
    score: float
    outcome: str
    thresholds: dict[str, float]
    features: list[float | None]


class Alerted(msgspec.Struct, gc=False):
    """The checked part of an alert."""

    transaction_id: str
    alert_id: str


class Decisions:
    """All decisions: the first of each transaction is kept, later ones are compared with it."""

    def __init__(self, transactions: Iterable[str]) -> None:
        self.row = {name: row for row, name in enumerate(transactions)}
        self.features: NDArray[np.float64] = np.full((len(self.row), _FEATURES), np.nan)
        self.seen = np.zeros(len(self.row), dtype=bool)
        self.suspicious: set[str] = set()
        self.latency_ms = np.zeros(len(self.row))
        self.decided_ms: list[int] = []
        self._summary: list[tuple[str, float, str] | None] = [None] * len(self.row)
        self._decoder = msgspec.json.Decoder(Decided)

    def take(self, value: bytes, decided_ms: int, source: Source, figures: Figures) -> None:
        """Add one record of the decisions topic."""
        decision = self._decoder.decode(value)
        figures.decisions += 1
        self.decided_ms.append(decided_ms)
        row = self.row.get(decision.transaction_id)
        if row is None:
            figures.decisions_without_transaction += 1
            return
        features = np.array(decision.features, dtype=np.float64)
        summary = (decision.decision_id, decision.score, decision.outcome)
        if self.seen[row]:
            figures.decisions_repeated += 1
            same = summary == self._summary[row] and np.array_equal(
                features, self.features[row], equal_nan=True
            )
            figures.repeats_that_differ += not same
            return
        self.seen[row] = True
        self.features[row] = features
        self._summary[row] = summary
        self.latency_ms[row] = decided_ms - source.sent_ms[decision.transaction_id]
        figures.decisions_wrong += decision.outcome != expected_outcome(decision)
        if decision.outcome != "approve":
            self.suspicious.add(decision.transaction_id)

    def compare(self, customers: Mapping[str, oracle.Customer], figures: Figures) -> None:
        """Check the decisions against the recount."""
        figures.decisions_missing = int((~self.seen).sum())
        for customer in customers.values():
            for transaction, expected in oracle.expected_features(customer).items():
                row = self.row[transaction]
                if self.seen[row] and not np.array_equal(expected, self.features[row], equal_nan=True):
                    figures.decisions_wrong += 1


def expected_outcome(decision: Decided) -> str:
    """Return the outcome of a score."""
    if decision.score >= decision.thresholds["decline"]:
        return "decline"
    return "review" if decision.score >= decision.thresholds["review"] else "approve"


def read_source(*logs: Iterable[Any]) -> Source:
    """Fold the valid records and count the invalid ones; a topic created again follows the previous log."""
    good: list[list[Any]] = []
    bad = Counter[Letter]()
    sent_ms: dict[str, int] = {}
    name = msgspec.json.Decoder(_Name)
    for log in logs:
        good.append([])
        for record in log:
            if BAD in record.headers:
                bad[letter(record)] += 1
            else:
                good[-1].append(record)
                sent_ms.setdefault(name.decode(record.value).transaction_id, record.timestamp)
    return Source(oracle.fold(*good), bad, sent_ms)


def check_profiles(
    customers: Mapping[str, oracle.Customer],
    changelog: Mapping[bytes, bytes],
    f: Figures,
    *,
    by_offset: bool = True,
) -> None:
    """Check count, sums and, where it is determined, offset of every customer in the changelog."""
    f.customers = len(customers)
    f.transactions = sum(customer.applied for customer in customers.values())
    for name in customers.keys() | {key.decode() for key in changelog}:
        customer, value = customers.get(name), changelog.get(name.encode())
        expected = customer.applied if customer else 0
        found = read_profile(value) if value else None
        applied = found.applied if found else 0
        f.lost += max(0, expected - applied)
        f.double_counted += max(0, applied - expected)
        f.customers_wrong_changelog += not is_right(customer, found, by_offset=by_offset)


def is_right(customer: oracle.Customer | None, found: StoredProfile | None, *, by_offset: bool) -> bool:
    """True when a profile agrees with the log."""
    if customer is None or found is None:
        return False
    if by_offset and customer.last_offset != found.applied_offset:
        return False
    return (customer.applied, customer.sums) == (found.applied, found.newest_sums)


def check_stores(changelog: Mapping[bytes, bytes], stored: Mapping[bytes, bytes], f: Figures) -> None:
    """Check that the owners' databases equal the end of the changelog."""
    names = changelog.keys() | stored.keys()
    f.customers_wrong_rocksdb = sum(changelog.get(name) != stored.get(name) for name in names)


async def check_alerts(records: AsyncIterator[Any], suspicious: set[str], f: Figures) -> None:
    """Check that exactly the suspicious transactions have an alert, always with the same id."""
    ids: dict[str, set[str]] = {}
    decoder = msgspec.json.Decoder(Alerted)
    async for record in records:
        alert = decoder.decode(record.value)
        known = ids.setdefault(alert.transaction_id, set())
        f.alerts_repeated += alert.alert_id in known
        known.add(alert.alert_id)
        f.alerts += 1
    f.alerts_missed = len(suspicious - ids.keys())
    f.alerts_spurious = len(ids.keys() - suspicious)
    f.alert_ids_beyond_one = sum(len(known) - 1 for known in ids.values())


def letter(record: Any) -> Letter:
    """The record, or what a dead letter keeps of it, without the headers that the service adds and the mark of the test."""
    headers = (each for each in record.headers if each != BAD and not each[0].startswith(ADDED_HEADERS))
    return Letter(record.key, record.value, tuple(headers))


async def check_dead_letters(records: AsyncIterator[Any], bad: Counter[Letter], f: Figures) -> None:
    """Check that the dead letters are the invalid records, byte for byte, each at least as often as it was sent."""
    found = Counter[Letter]()
    async for record in records:
        found[letter(record)] += 1
    f.bad_records = bad.total()
    f.dead_letters_missing = (bad - found).total()
    f.dead_letters_spurious = sum(count for each, count in found.items() if each not in bad)


class _Name(msgspec.Struct, gc=False):
    transaction_id: str
