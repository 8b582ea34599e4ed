"""After a comparison with scikit-learn a model loads without it, until the model or its environment changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from app.adapters.models import backends, bundles, comparisons, estimators, stored_forests
from app.adapters.models.comparisons import Comparison, Comparisons
from app.adapters.models.forests import boosted_forest
from app.adapters.models.loading import UNSIGNED, Loading
from app.adapters.models.sklearn_forests import forest_of
from app.adapters.models.stored_forests import stored_forest
from app.errors import GoldenRowMismatch
from tests.unit.small_bundle import BOOSTED, DESCRIBED, FRAUDS, ROWS, WIDTH, saved

GOLDEN = ROWS[:64]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return saved(tmp_path)


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    return Loading(comparisons=Comparisons(tmp_path))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The examined estimators: one per load that compares with scikit-learn."""
    found: list[Any] = []
    examine = estimators.scorers_of

    def noted(estimator: Any, usual: Any) -> Any:
        found.append(estimator)
        return examine(estimator, usual)

    monkeypatch.setattr(estimators, "scorers_of", noted)
    return found


@pytest.fixture(autouse=True)
def machine_code_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the compiled back-end the faster one, independent of the machine's load."""
    micros = iter(range(10_000, 0, -1))
    monkeypatch.setattr(backends, "_micros", lambda *_: float(next(micros)))


def files(folder: Path) -> list[Path]:
    return sorted((folder / "compared").glob("*"))


def test_the_second_load_scores_and_explains_the_same_without_scikit_learn(
    path: Path, loading: Loading, asked: list[Any]
) -> None:
    first = bundles.load(path, loading)
    second = bundles.load(path, loading)

    assert len(asked) == 1
    assert np.array_equal(BOOSTED.predict_proba(ROWS)[:, 1], second.score(ROWS))
    assert (first.backend.by_batch, first.backend.micros) == (second.backend.by_batch, second.backend.micros)
    before, after = first.contributions(ROWS), second.contributions(ROWS)
    assert before is not None
    assert after is not None
    assert before.base == after.base
    assert np.array_equal(before.values, after.values)


def test_no_comparison_is_stored_without_a_directory(path: Path, tmp_path: Path, asked: list[Any]) -> None:
    bundles.load(path, UNSIGNED)
    bundles.load(path, UNSIGNED)

    assert len(asked) == 2
    assert files(tmp_path) == []


def test_the_comparison_holds_golden_rows_and_rows_around_both_thresholds(
    path: Path, loading: Loading, tmp_path: Path
) -> None:
    bundles.load(path, loading)

    (file,) = files(tmp_path)
    with np.load(file) as found:
        assert np.array_equal(GOLDEN, found["rows"][: len(GOLDEN)], equal_nan=True)
        assert len(found["rows"]) > len(GOLDEN) + 64
        assert np.array_equal(BOOSTED.predict_proba(found["rows"])[:, 1], found["scores"])


def damaged(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def contradicting(file: Path) -> None:
    with np.load(file) as found:
        parts = dict(found)
    parts["scores"][-1] += 1e-6
    np.savez(file, **parts)


@pytest.mark.parametrize("change", [damaged, empty, contradicting, Path.unlink])
def test_an_invalid_comparison_is_made_again(
    path: Path, loading: Loading, tmp_path: Path, asked: list[Any], change: Callable[[Path], None]
) -> None:
    bundles.load(path, loading)
    change(files(tmp_path)[0])

    bundles.load(path, loading)
    bundles.load(path, loading)

    assert len(asked) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"_LIBRARIES": ("numpy",)},
        {"_SOURCES": (Path(__file__).parent,)},
        {"platform.python_version": lambda: "3.99"},
        {"llvmlite.binding.get_host_cpu_name": lambda: "another"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_other_libraries_sources_or_processors_cause_a_new_comparison(
    path: Path,
    loading: Loading,
    asked: list[Any],
    changed: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundles.load(path, loading)
    for name, value in changed.items():
        monkeypatch.setattr(f"{comparisons.__name__}.{name}", value)

    bundles.load(path, loading)

    assert len(asked) == 2


def test_machine_code_with_changed_scores_is_compared_again(
    path: Path, loading: Loading, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundles.load(path, loading)
    monkeypatch.setattr(
        f"{stored_forests.__name__}.boosted_forest",
        lambda nodes, baseline, width: boosted_forest(nodes, baseline + 0.1, width),
    )

    bundle = bundles.load(path, loading)

    assert len(asked) == 2
    assert np.array_equal(BOOSTED.predict_proba(ROWS)[:, 1], bundle.score(ROWS))


def test_each_back_end_setting_has_its_own_comparison(
    path: Path, loading: Loading, asked: list[Any], tmp_path: Path
) -> None:
    for wanted in ("auto", "compiled", "sklearn"):
        for _ in range(2):
            found = bundles.load(path, loading._replace(backend=wanted))
        assert wanted == "auto" or set(found.backend.by_batch.values()) == {wanted}

    assert len(asked) == 1 + 1 + 2
    assert len(files(tmp_path)) == 2


def test_a_comparison_can_be_requested(path: Path, loading: Loading, asked: list[Any]) -> None:
    bundles.load(path, loading)
    renewed = bundles.load(path, loading._replace(compare_again=True))
    after = bundles.load(path, loading)

    assert len(asked) == 2
    assert renewed.backend.micros == after.backend.micros


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(n_estimators=3, max_depth=4, random_state=0),
        make_pipeline(StandardScaler(), BOOSTED),
    ],
    ids=["averaged", "behind a pipeline"],
)
def test_a_model_that_only_skops_can_read_is_compared_on_each_load(
    tmp_path: Path, loading: Loading, asked: list[Any], estimator: Any
) -> None:
    path = tmp_path / "small" / "1"
    bundles.save(path, DESCRIBED, estimator.fit(ROWS, FRAUDS), GOLDEN, "")
    asked.clear()

    bundles.load(path, loading)
    bundles.load(path, loading)

    assert len(asked) == 2


def test_a_boosted_model_read_directly_equals_the_one_loaded_by_skops(path: Path) -> None:
    stored = stored_forest((path / "model.skops").read_bytes(), WIDTH)
    loaded = forest_of(BOOSTED, WIDTH)

    assert stored is not None
    assert loaded is not None
    assert stored.equals(loaded)


def test_golden_scores_are_checked_though_their_file_is_not_parsed_again(
    path: Path, loading: Loading, tmp_path: Path
) -> None:
    bundles.load(path, loading)
    (file,) = files(tmp_path)
    with np.load(file) as found:
        parts = dict(found)
    parts["golden_scores"][0] += 1e-6
    np.savez(file, **parts)

    with pytest.raises(GoldenRowMismatch):
        bundles.load(path, loading)


def test_only_the_newest_comparisons_are_kept(tmp_path: Path) -> None:
    store = Comparisons(tmp_path)
    scores = np.zeros(len(GOLDEN))
    for number in range(40):
        store.store(f"{number}", "auto", Comparison(GOLDEN, scores, scores, {}, {}))

    assert len(files(tmp_path)) == 32
    assert store.find("39", "auto") is not None
