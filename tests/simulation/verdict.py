"""Checks the end of a schedule against an independent fold of the source log, which shares no code with the service."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from app.adapters.kafka.records import OutRecord
from tests.profile_format import read_profile
from tests.simulation.source import Source
from tests.simulation.worker import ALERTS, DEAD_LETTERS, DECISIONS
from tests.simulation.world import CHANGELOG, Broken, Topics
from tests.support import oracle


def check(topics: Topics, stored: dict[bytes, bytes], source: Source) -> None:
    """Check profiles, decisions, alerts and dead letters. Raises Broken."""
    check_profiles(newest(topics[CHANGELOG]), source)
    if compacted(topics[CHANGELOG]) != newest(topics[CHANGELOG]):
        raise Broken("compaction would leave an older version of a profile")
    if stored != newest(topics[CHANGELOG]):
        raise Broken("the owner's disk differs from the end of the changelog")
    decisions = by_transaction(topics[DECISIONS])
    check_decisions(decisions, source)
    suspicious = {name for name, copies in decisions.items() if copies[0]["outcome"] != "approve"}
    alerts = by_transaction(topics[ALERTS])
    same(alerts.keys(), suspicious, "alerts")
    for name, copies in alerts.items():
        require_one_id(name, {alert["alert_id"] for alert in copies})
    check_dead_letters(topics[DEAD_LETTERS], source)


def newest(changelog: Iterable[OutRecord]) -> dict[bytes, bytes]:
    """Return the version of each customer that a restore keeps: the one that applied more."""
    kept: dict[bytes, bytes] = {}
    for record in changelog:
        if record.key is None or record.value is None:
            continue  # a claim
        known = kept.get(record.key)
        if known is None or applied_offset(record.value) >= applied_offset(known):
            kept[record.key] = record.value
    return kept


def compacted(changelog: Iterable[OutRecord]) -> dict[bytes, bytes]:
    """Return what compaction leaves: the last record of each key, and no tombstone."""
    last = {record.key or b"": record.value for record in changelog}
    return {key: value for key, value in last.items() if value is not None}


def applied_offset(value: bytes) -> int:
    return read_profile(value).applied_offset


def check_profiles(profiles: dict[bytes, bytes], source: Source) -> None:
    same({key.decode() for key in profiles}, source.customers.keys(), "customers")
    for name, customer in source.customers.items():
        found = read_profile(profiles[name.encode()])
        expected = (customer.applied, customer.sums)
        if expected != (found.applied, found.newest_sums):
            raise Broken(f"{name} has {found.applied} events, {found.newest_sums}; expected {expected}")
        if not customer.last_offset <= found.applied_offset <= source.last_offsets[name]:
            raise Broken(f"{name} has applied up to {found.applied_offset}")


def check_decisions(decisions: dict[str, list[dict[str, Any]]], source: Source) -> None:
    same(decisions.keys(), source.transactions, "decisions")
    for name, copies in decisions.items():
        if len({msgspec.json.encode(decision | {"scored_at": 0}) for decision in copies}) > 1:
            raise Broken(f"{name} was decided twice, differently")
        expected = source.features.get(name)
        if expected is not None and not oracle.same_numbers(expected, copies[0]["features"]):
            raise Broken(f"{name} was decided on {copies[0]['features']}, not {expected}")


def check_dead_letters(letters: Iterable[OutRecord], source: Source) -> None:
    found = Counter((letter.key, letter.value) for letter in letters)
    same({letter for letter in found if letter not in source.bad}, set(), "dead letters")
    if source.bad - found:
        raise Broken(f"dead letters are missing: {source.bad - found}")


def by_transaction(records: Iterable[OutRecord]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        event = msgspec.json.decode(record.value or b"")
        found[event["transaction_id"]].append(event)
    return found


def same(found: Iterable[Any], expected: Iterable[Any], what: str) -> None:
    if missing := set(expected) - set(found):
        raise Broken(f"{what} missing: {sorted(missing)}")
    if spurious := set(found) - set(expected):
        raise Broken(f"{what} that should not be: {spurious}")


def require_one_id(name: str, ids: set[str]) -> None:
    if len(ids) > 1:
        raise Broken(f"{name} has several ids: {ids}")
