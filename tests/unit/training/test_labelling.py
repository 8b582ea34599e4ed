"""Labels of a file are learnt as they stood when the training began: nothing reported later is known."""

import json
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet
import pytest

from app.adapters.column_mapping import CONTRACT
from app.adapters.models.manifest import ProfileBounds
from app.domain.acceptance import Acceptance
from app.domain.identifiers import digest64
from app.features.columns import digests
from app.features.window import DAY_MS
from app.history.fold_history import HistorySource
from app.traffic.simulate import Simulation
from app.traffic.simulated_file import write_simulation
from app.training.labelling import Labelling
from app.training.options import TrainingOptions
from app.training.recipe import Piece, Recipe
from app.training.train import Target, train

NOW_MS = 1_800_000_000_000
START_MS = 1_735_689_600_000  # 2025-01-01
SMALL = Recipe(
    estimator=Piece(path="sklearn.ensemble.HistGradientBoostingClassifier", parameters={"max_iter": 3})
)
OPTIONS = TrainingOptions(recipe=SMALL, test_days=7, warm_up_days=0)
PROFILE = ProfileBounds(allowed_lateness_seconds=86_400, max_events=4096)


def source(history: Path, labels: Path) -> HistorySource:
    return HistorySource(
        path=history, mapping=CONTRACT, acceptance=Acceptance(), now_ms=NOW_MS, labels=labels
    )


def label(transaction: dict[str, object], *, fraud: bool, reported_ms: int) -> dict[str, object]:
    names = ("transaction_id", "customer_id", "terminal_id", "event_time")
    return {name: transaction[name] for name in names} | {"is_fraud": fraud, "reported_at": reported_ms}


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path


def test_what_is_known_is_what_was_reported_last_up_to_then(tmp_path: Path) -> None:
    one = {"transaction_id": "t1", "customer_id": "c", "terminal_id": "m", "event_time": START_MS}
    reports = [(3, False), (1, True), (5, True)]
    path = write(
        tmp_path / "labels.jsonl",
        [label(one, fraud=fraud, reported_ms=START_MS + day * DAY_MS) for day, fraud in reports],
    )
    labelling = Labelling(path, source(path, path))
    asked = digests([digest64("t1"), digest64("t2")])

    known = [labelling.frauds(asked, START_MS + day * DAY_MS).tolist() for day in range(6)]

    assert [first for first, _ in known] == [False, True, True, False, False, True]
    assert not any(second for _, second in known)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "history.parquet"
    simulation = Simulation(customers=60, terminals=30, days=35, seed=3, start=date(2025, 1, 1))
    write_simulation(simulation, path, lambda _: None)
    return path


@pytest.mark.parametrize("legitimate_share", [pytest.param(1.0, marks=pytest.mark.slow), 0.3])
def test_labels_planted_after_the_training_began_change_nothing_of_the_model(
    history: Path, tmp_path: Path, legitimate_share: float
) -> None:
    """Nor do they decide which of the legitimate rows are drawn."""
    options = msgspec.structs.replace(OPTIONS, legitimate_share=legitimate_share)
    transactions = pyarrow.parquet.read_table(history).to_pylist()
    cut_ms = max(row["event_time"] for row in transactions) - OPTIONS.test_days * DAY_MS
    honest = [
        label(row, fraud=True, reported_ms=row["event_time"] + 3 * DAY_MS)
        for row in transactions
        if row["is_fraud"]
    ]
    planted = [
        label(row, fraud=True, reported_ms=cut_ms + DAY_MS)
        for row in transactions[::2]
        if row["event_time"] < cut_ms
    ]
    files = [
        write(tmp_path / "honest.jsonl", honest),
        write(tmp_path / "planted.jsonl", [*honest, *planted]),
    ]

    models = []
    for version, labels in enumerate(files):
        path = tmp_path / "models" / str(version)
        train(source(history, labels), Target(path), options, PROFILE)
        models.append((path / "model.skops").read_bytes())

    assert models[0] == models[1]
    assert len(np.unique([row["is_fraud"] for row in transactions])) == 2
