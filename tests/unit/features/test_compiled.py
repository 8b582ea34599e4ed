"""The fold's machine code is made once only, whoever calls the fold."""

from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from app.adapters.column_mapping import CONTRACT
from app.domain.acceptance import Acceptance
from app.domain.transaction import Transaction
from app.features import compiled, fold
from app.features.columns import compile_fold, events
from app.features.window import Bounds
from app.history import feature_fold
from app.history.feature_fold import release_fold
from app.history.fold_history import HistorySource, fold_history
from tests.unit.transaction_files import ROWS, SUFFIXES, read, write

Column = np.ndarray[Any, Any]

BOUNDS = Bounds(86_400_000, 4096)


def test_a_user_without_a_home_has_one_candidate_less(monkeypatch: pytest.MonkeyPatch) -> None:
    with_home = list(compiled._candidates())
    monkeypatch.setattr(Path, "home", homeless)

    assert with_home[:-1] == list(compiled._candidates()) != []


def test_the_folder_that_numba_was_told_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(numba.config), "CACHE_DIR", str(tmp_path))

    assert next(compiled._candidates()) == tmp_path


def homeless() -> Path:
    raise RuntimeError("Could not determine home directory.")


def signatures() -> list[int]:
    """How often each function that Python calls was compiled in this process."""
    entries: list[Any] = [fold._plan, fold._fold_all]
    return [len(entry.signatures) for entry in entries]


def of_the_stream() -> None:
    transactions = [
        Transaction(
            transaction_id=f"t{number}",
            customer_id="c1",
            terminal_id="m1",
            event_time=1_760_000_000_000,
            amount_minor=1,
            currency="EUR",
        )
        for number in range(3)
    ]
    for count in range(4):
        fold.fold([b""], events(transactions[:count], [0] * count, range(count)), BOUNDS, 2**64 - 1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_stream_batch_and_training_use_one_compilation(suffix: str, tmp_path: Path) -> None:
    """A second one would take a worker 15 seconds, in the middle of its work."""
    compile_fold()
    of_the_stream()
    path = write(tmp_path / f"history{suffix}", ROWS)
    source = HistorySource(path=path, mapping=CONTRACT, acceptance=Acceptance(), now_ms=2 * 10**12)
    assert [len(part.applied) for part in fold_history(source, release_fold(BOUNDS))] == [3]

    assert [1, 1] == signatures()


def test_events_in_any_memory_layout_use_one_compilation(tmp_path: Path) -> None:
    """Read-only, reversed, or every second element of another array."""
    whole = feature_fold._events(read(write(tmp_path / "history.parquet", ROWS)))
    for layout in (read_only, backwards, every_second):
        folded = fold.fold([b"", b""], fold.Events(*map(layout, whole)), BOUNDS)
        assert folded.status.tolist() == [fold.APPLIED] * 3

    assert [1, 1] == signatures()


def read_only(column: Column) -> Column:
    found = column.copy()
    found.flags.writeable = False
    return found


def backwards(column: Column) -> Column:
    return column[::-1].copy()[::-1]


def every_second(column: Column) -> Column:
    return np.repeat(column, 2)[::2]
