"""Labels of a history count from the time of their report, never for an earlier row."""

import random
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from app.adapters.column_mapping import CONTRACT
from app.adapters.tabular.files import read_batches
from app.adapters.tabular.table_writer import ColumnType, TableWriter
from app.cli import app
from app.domain.acceptance import Acceptance
from app.errors import InvalidFile
from app.features import catalog
from app.features.activity import LABEL, TRANSACTION
from app.features.window import Bounds
from app.history.feature_fold import release_fold
from app.history.fold_history import HistorySource, fold_history
from app.history.labels import Labels, PendingLabels
from tests.properties.activity_recount import DAY_MS, HOUR_MS, Fact, recount

START_MS = 1_735_689_600_000
ROWS, DAYS = 160, 60
HISTORY_SCHEMA: dict[str, ColumnType] = {
    "transaction_id": "text", "customer_id": "text", "terminal_id": "text", "event_time": "integer",
    "amount_minor": "integer", "currency": "text", "is_fraud": "boolean",
}  # fmt: skip
LABEL_SCHEMA: dict[str, ColumnType] = {
    "transaction_id": "text", "customer_id": "text", "terminal_id": "text", "event_time": "integer",
    "is_fraud": "boolean", "source": "text", "reported_at": "integer",
}  # fmt: skip

Row = dict[str, Any]


def transactions() -> list[Row]:
    """Two months of three terminals and five customers; a tenth are frauds, and some arrive late."""
    rng = random.Random(5)
    rows: list[Row] = []
    for number in range(ROWS):
        time_ms = START_MS + number * DAYS * DAY_MS // ROWS - rng.choice([0, 0, 0, 5 * HOUR_MS])
        rows.append({
            "transaction_id": f"t{number}", "customer_id": f"c{rng.randrange(5)}", "terminal_id": f"m{rng.randrange(3)}",
            "event_time": time_ms, "amount_minor": 100, "currency": "EUR", "is_fraud": rng.random() < 0.1,
        })  # fmt: skip
    return rows


def sent(rows: list[Row]) -> list[Row]:
    """Return the rows with one of them repeated."""
    return [*rows[:9], rows[7], *rows[9:]]


def reports(rows: list[Row]) -> list[Row]:
    """Labels in order of report: fraud, late, legitimate, repeated and reversed."""
    rng, found = random.Random(6), list[Row]()
    for row in rows:
        for _ in range(rng.choice([0, 0, 1, 2])):
            reported_ms = row["event_time"] + rng.choice([HOUR_MS, 3 * DAY_MS, 7 * DAY_MS, 20 * DAY_MS])
            found.append(
                row | {"reported_at": reported_ms, "is_fraud": rng.random() < 0.7, "source": "analyst"}
            )
    return sorted(found, key=lambda label: label["reported_at"])


def write(path: Path, schema: dict[str, ColumnType], rows: list[Row]) -> Path:
    with TableWriter(path, schema) as writer:
        writer.write({name: [row[name] for row in rows] for name in schema})
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A file without a label column."""
    schema = {name: kind for name, kind in HISTORY_SCHEMA.items() if name != "is_fraud"}
    return write(tmp_path / "plain.parquet", schema, sent(transactions()))


def source(path: Path, labels: Path | None = None, delay_ms: int = 7 * DAY_MS) -> HistorySource:
    return HistorySource(
        path=path,
        mapping=CONTRACT,
        acceptance=Acceptance(),
        now_ms=2 * 10**12,
        labels=labels,
        label_delay_ms=delay_ms,
    )


def delayed(described: HistorySource) -> list[list[float]]:
    """The delayed features of each transaction, once."""
    parts = fold_history(described, release_fold(Bounds(DAY_MS, 4096)))
    found: list[list[float]] = np.concatenate([part.rows[:, catalog.DELAYED] for part in parts]).tolist()
    return found


def counted(rows: list[Row], labels: list[Row]) -> list[list[float]]:
    """Compute the same values from the definition, for each row separately."""
    found = []
    for at, row in enumerate(rows):
        per_entity = []
        for field in ("terminal_id", "customer_id"):
            facts = [
                Fact(0, TRANSACTION, other["event_time"]) for other in rows[:at] if other[field] == row[field]
            ]
            facts += [
                Fact(
                    0,
                    LABEL,
                    each["event_time"],
                    int(each["transaction_id"][1:]),
                    each["reported_at"],
                    each["is_fraud"],
                )
                for each in labels
                if each[field] == row[field]
            ]
            per_entity.append(recount(facts, row["event_time"]))
        counts, frauds = per_entity[0]
        risks = [min(k, n) / n if n else 0.0 for n, k in zip(counts, frauds, strict=True)]
        found.append([*counts, *risks, min(per_entity[1].counts[2], per_entity[1].frauds[2])])
    return found


def test_a_label_reported_at_the_time_of_a_transaction_counts_for_it(tmp_path: Path) -> None:
    """Labels count up to the full hour, and both times are that hour."""
    first = transactions()[0] | {"transaction_id": "t0", "event_time": START_MS}
    later = first | {"transaction_id": "t1", "event_time": START_MS + 8 * DAY_MS}
    schema = {name: kind for name, kind in HISTORY_SCHEMA.items() if name != "is_fraud"}
    file = write(tmp_path / "two.parquet", schema, [first, later])
    label = first | {"reported_at": later["event_time"], "is_fraud": True, "source": "analyst"}

    (_, found) = delayed(source(file, write(tmp_path / "labels.csv", LABEL_SCHEMA, [label])))

    assert found[-1] == 1.0


def test_labels_reported_at_the_same_time_keep_their_order() -> None:
    """With so many labels an unstable sort would mix them."""
    count = 500
    reported_ms = START_MS + np.random.default_rng(1).integers(0, 3, count)
    values = np.full((2, count), "m", object)
    labels = Labels(np.arange(count), reported_ms - DAY_MS, reported_ms, np.ones(count, np.bool_), values)
    pending = PendingLabels(len(values))
    for part in (slice(0, 250), slice(250, count)):
        pending.add(labels.take(part))

    due = pending.due(np.array([START_MS + DAY_MS]))

    assert due.labels.transaction.tolist() == sorted(range(count), key=reported_ms.tolist().__getitem__)


@pytest.mark.parametrize("batch_rows", [7, 50_000])
def test_features_of_a_file_with_labels_equal_a_recount(
    plain: Path, tmp_path: Path, batch_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For any batch size."""
    monkeypatch.setattr("app.history.fold_history.read_batches", partial(read_batches, batch_rows=batch_rows))
    rows = transactions()
    labels = write(tmp_path / "labels.csv", LABEL_SCHEMA, reports(rows))

    found = delayed(source(plain, labels))

    assert counted(rows, reports(rows)) == found
    assert sum(row[5] > 0 for row in found) > 20 < sum(row[6] > 0 for row in found)


@pytest.mark.parametrize("delay_days", [0, 7, 20])
def test_a_label_column_counts_a_delay_after_each_transaction(tmp_path: Path, delay_days: int) -> None:
    rows = transactions()
    known = [row | {"reported_at": row["event_time"] + delay_days * DAY_MS} for row in rows]
    path = write(tmp_path / "labelled.jsonl", HISTORY_SCHEMA, sent(rows))

    assert counted(rows, known) == delayed(source(path, delay_ms=delay_days * DAY_MS))


def test_without_labels_no_fraud_is_counted(plain: Path) -> None:
    assert counted(transactions(), []) == delayed(source(plain))


@pytest.mark.parametrize("row", [60, 110])
def test_labels_change_no_row_before_their_report(plain: Path, tmp_path: Path, row: int) -> None:
    """Added labels: every earlier transaction is a fraud, reported just after this row's hour began."""
    rows = transactions()
    now_ms = rows[row]["event_time"] // HOUR_MS * HOUR_MS
    honest = reports(rows)
    added = [
        each | {"reported_at": max(now_ms + 1, each["event_time"]), "is_fraud": True, "source": "analyst"}
        for each in rows
    ]
    until = [delayed(source(plain, write(tmp_path / f"{name}.jsonl", LABEL_SCHEMA, labels)))
             for name, labels in (("honest", honest), ("added", [*honest, *added]))]  # fmt: skip

    before = [at for at in range(ROWS) if rows[at]["event_time"] <= rows[row]["event_time"]]
    assert [until[0][at] for at in before] == [until[1][at] for at in before]
    assert until[0][row + 25 :] != until[1][row + 25 :]


def test_the_command_takes_labels(plain: Path, tmp_path: Path) -> None:
    labels = write(tmp_path / "labels.parquet", LABEL_SCHEMA, reports(transactions()))
    for name, options in (("with.parquet", ["--labels", str(labels)]), ("without.parquet", [])):
        ran = CliRunner().invoke(app, ["features", str(plain), "--out", str(tmp_path / name), *options])
        assert ran.exit_code == 0, ran.output

    assert (tmp_path / "with.parquet").read_bytes() != (tmp_path / "without.parquet").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"event_time": 5}, "row 2, column `event_time`: is before the earliest accepted time"),
        ({"reported_at": 3 * 10**12}, "row 2, column `reported_at`: is .* in the future"),
        ({"terminal_id": None}, "row 2, column `terminal_id`: is null"),
        ({"transaction_id": "x" * 65}, "row 2, column `transaction_id`: is longer than 64"),
    ],
)
def test_a_label_out_of_contract_is_named(
    plain: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    rows = reports(transactions())[:3]
    labels = write(tmp_path / "labels.jsonl", LABEL_SCHEMA, [rows[0], rows[1] | change, rows[2]])

    with pytest.raises(InvalidFile, match=message):
        delayed(source(plain, labels))


def test_a_file_of_labels_without_a_column_is_refused_with_what_it_needs(plain: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("transaction_id,is_fraud\nt1,1\n")

    with pytest.raises(InvalidFile, match="no column `terminal_id`: labels need"):
        delayed(source(plain, labels))
