"""A file of transactions gives one label for each fraud whose report is due."""

from datetime import date

import msgspec
import pytest

from app.adapters.serde.json_codec import decode_label
from app.errors import InvalidFile
from app.traffic.labels import labels, record
from app.traffic.simulate import Simulation, simulate

DAY_MS = 86_400_000
BATCHES = list(simulate(Simulation(customers=60, terminals=120, days=20, seed=3, start=date(2025, 1, 1))))
END_MS = max(int(batch.event_time[-1]) for batch in BATCHES)


def frauds() -> dict[str, int]:
    found = {}
    for batch in BATCHES:
        assert batch.is_fraud is not None
        for transaction, fraud in zip(batch.transactions(), batch.is_fraud.tolist(), strict=True):
            if fraud:
                found[transaction.transaction_id] = transaction.event_time
    return found


def test_each_fraud_is_reported_after_the_delay() -> None:
    found = {label.transaction_id: label for label in labels(BATCHES, 7 * DAY_MS, END_MS + 8 * DAY_MS)}

    assert {name: label.event_time for name, label in found.items()} == frauds()
    assert all(label.reported_at == label.event_time + 7 * DAY_MS for label in found.values())
    assert all(label.is_fraud for label in found.values())


def test_a_label_is_not_sent_before_its_report_is_due() -> None:
    found = list(labels(BATCHES, 7 * DAY_MS, END_MS))

    assert len(found) < len(frauds())
    assert all(label.reported_at <= END_MS for label in found)


def test_a_label_is_keyed_by_its_terminal() -> None:
    first = next(labels(BATCHES, 0, END_MS))
    key, value = record(first)

    assert first.terminal_id.encode() == key
    assert first == decode_label(value)


def test_a_file_without_frauds_is_refused() -> None:
    unlabelled = [msgspec.structs.replace(batch, is_fraud=None) for batch in BATCHES]

    with pytest.raises(InvalidFile, match="is_fraud"):
        list(labels(unlabelled, 0, END_MS))
