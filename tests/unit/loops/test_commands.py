"""Commands that read a topic report a record that they cannot read, and continue with the next."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.topic_records import scored_rows
from app.commands.data import tail
from app.demo.listening import listen
from app.demo.reconciliation import Reconciliation
from app.domain.decision import Decision, ModelReference
from app.features.catalog import NAMES
from app.history.label_files import FlagsOfRecords
from app.model_comparison.shadowed import Decisions
from app.settings import Settings, TopicSettings
from tests.unit.loops.loop import NOW_MS, family
from tests.unit.loops.test_labels import label

MODEL = {"name": "m", "version": "1", "digest": "d"}


def decision(number: int = 1) -> dict[str, Any]:
    transaction = {
        "transaction_id": f"rt{number}",
        "customer_id": "c1",
        "terminal_id": "m1",
        "event_time": NOW_MS,
    }
    return transaction | {
        "decision_id": f"decision-rt{number}",
        "scored_at": NOW_MS,
        "score": 0.5,
        "outcome": "review",
        "thresholds": {"review": 0.4, "decline": 0.9},
        "model": MODEL,
        "catalog": "x",
        "features": [0.0] * len(NAMES),
        "source": {"topic": "t", "partition": 0, "offset": number},
        "transaction": transaction | {"amount_minor": 5, "currency": "EUR"},
        "shadow": {"m/2": 0.4},
    }


class Reader:
    """A topic in memory."""

    def __init__(self, values: list[bytes | None], topic: str = "fraud.decisions.v1") -> None:
        self._records = [
            SimpleNamespace(topic=topic, partition=0, offset=offset, value=value, headers=())
            for offset, value in enumerate(values)
        ]

    async def batches(self) -> AsyncIterator[list[Any]]:
        yield self._records

    async def ends(self) -> dict[Any, int]:
        return {}

    async def until(self, *_: object) -> AsyncIterator[Any]:
        for record in self._records:
            yield record


def values() -> list[bytes | None]:
    """The whole family between two sound decisions."""
    hostile = [record.value for _, record in family(decision(), b"c1")]
    return [json.dumps(decision(1)).encode(), *hostile, json.dumps(decision(2)).encode()]


def test_what_cannot_be_decoded_is_none() -> None:
    decoder = BoundedDecoder(Decision)
    found = [decoder.attempt(value) for value in values()]

    assert (found[0], found[-1]) == tuple(map(msgspec.convert, (decision(1), decision(2)), [Decision] * 2))
    assert found.count(None) > 100


async def test_decisions_are_printed_though_others_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _opened(monkeypatch, "app.adapters.kafka.tail_reader.open_tail_reader")
    await tail._follow(Settings(), "fraud.decisions.v1", tail._printer(Decision, as_json=False), True, None)
    shown = capsys.readouterr()

    assert "fraud.decisions.v1-0, offset 1: the record cannot be read and is left out" in shown.err
    assert len(shown.err.splitlines()) > 100


async def test_drift_is_measured_on_the_decisions_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    _opened(monkeypatch, "app.adapters.topic_records.scored_rows.open_tail_reader")
    found = [
        part async for part in scored_rows.decided_rows(Settings(), ModelReference(**MODEL), since_ms=None)
    ]

    assert all(part.rows.shape[1] == len(NAMES) for part in found)
    assert sum(len(part.rows) for part in found) >= 2


async def test_the_demo_counts_what_it_can_read() -> None:
    reconciliation = Reconciliation("r")
    reconciliation.sent = 3
    reader: Any = Reader(values())
    await listen(reader, TopicSettings(), reconciliation, lambda _: None)

    assert reconciliation.decided == 2


def test_models_are_compared_on_the_decisions_that_can_be_read() -> None:
    found = Decisions()
    for value in values():
        found.note_record(value or b"")

    assert (found.unreadable > 100, found.read >= 2) == (True, True)
    found.compare(lambda _: None, None, 0, _no_draws())


def test_labels_that_are_none_are_counted() -> None:
    flags = FlagsOfRecords()
    for _, record in family(label(), b"m1"):
        flags.add(record.value or b"")
    flags.add(json.dumps(label() | {"transaction_id": "last"}).encode())

    assert flags.known["last"]
    assert flags.unreadable > 20


def _no_draws() -> Any:
    from app.model_comparison.intervals import Draws  # noqa: PLC0415  # imports NumPy's random numbers

    return Draws(number=0, seed=0, budget=1)


def _opened(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    @asynccontextmanager
    async def opened(*_: object, **__: object) -> AsyncIterator[Reader]:
        yield Reader(values())

    monkeypatch.setattr(name, opened)
