"""Loading and saving bundles: a valid bundle scores exactly, any other is refused with a specific error."""

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression

from app.adapters.models import bundles, manifest, skops_files
from app.adapters.models.loading import UNSIGNED
from app.errors import (
    BundleCorrupt,
    CatalogMismatch,
    GoldenRowMismatch,
    LibraryMismatch,
    ModelRejected,
)
from app.features import catalog
from tests.unit.forgeries import redeclare
from tests.unit.small_bundle import BOOSTED, DESCRIBED, FRAUDS, ROWS, WIDTH, saved


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return saved(tmp_path)


def test_a_loaded_bundle_scores_bit_identically_to_its_estimator_in_chunks_of_any_size(path: Path) -> None:
    model = bundles.load(path, UNSIGNED)

    expected = BOOSTED.predict_proba(ROWS)[:, 1]

    for size in (1, 2, 7, 63, 64, 65, 500, 2000):
        chunks = [model.score(ROWS[at : at + size]) for at in range(0, len(ROWS), size)]
        assert np.array_equal(expected, np.concatenate(chunks)), size


def test_no_rows_have_no_scores(path: Path) -> None:
    assert bundles.load(path, UNSIGNED).score(np.empty((0, WIDTH))).tolist() == []


def test_the_digest_of_a_model_is_the_sha256_of_its_manifest(path: Path) -> None:
    digest = sha256((path / "manifest.json").read_bytes()).hexdigest()

    assert ("small", "1", digest) == msgspec.structs.astuple(bundles.load(path, UNSIGNED).reference)


@pytest.mark.parametrize("name", ["manifest.json", *manifest.OTHER_FILES])
def test_a_flipped_bit_in_any_file_is_detected(path: Path, name: str) -> None:
    content = bytearray((path / name).read_bytes())
    content[len(content) // 2] ^= 0x80
    (path / name).write_bytes(content)

    with pytest.raises(BundleCorrupt, match=name):
        bundles.load(path, UNSIGNED)


@pytest.mark.parametrize("name", ["manifest.json", *manifest.OTHER_FILES])
def test_a_missing_file_is_detected(path: Path, name: str) -> None:
    (path / name).unlink()

    with pytest.raises(BundleCorrupt, match=name):
        bundles.load(path, UNSIGNED)


def test_a_manifest_with_a_field_of_another_release_is_refused(path: Path) -> None:
    content = json.loads((path / "manifest.json").read_bytes()) | {"unheard_of": 1}
    (path / "manifest.json").write_text(json.dumps(content))

    with pytest.raises(BundleCorrupt, match="unheard_of"):
        bundles.load(path, UNSIGNED)


@pytest.mark.parametrize(
    "change", [{"catalog_digest": "0" * 16}, {"features": list(reversed(catalog.NAMES))}]
)
def test_a_model_of_other_features_is_refused(path: Path, change: dict[str, Any]) -> None:
    redeclare(path, **change)

    with pytest.raises(CatalogMismatch, match="Train a model with this release"):
        bundles.load(path, UNSIGNED)


@pytest.mark.parametrize("score", [0.5, float("nan"), 1.5])
def test_golden_rows_that_score_differently_are_refused(path: Path, score: float) -> None:
    table = pyarrow.parquet.read_table(path / "golden.parquet").to_pydict()
    table["score"][3] = score
    pyarrow.parquet.write_table(pyarrow.table(table), path / "golden.parquet", use_dictionary=False)
    redeclare(path)

    with pytest.raises(GoldenRowMismatch):
        bundles.load(path, UNSIGNED)


def test_a_model_that_scores_nan_is_refused(path: Path) -> None:
    forged = skops_files.loads((path / "model.skops").read_bytes())
    forged._baseline_prediction[:] = np.nan
    (path / "model.skops").write_bytes(skops_files.dumps(forged))
    redeclare(path)

    with pytest.raises(GoldenRowMismatch, match="NaN"):
        bundles.load(path, UNSIGNED)


def test_a_bundle_in_a_directory_of_another_name_is_refused(path: Path) -> None:
    shutil.copytree(path, path.with_name("2"))

    with pytest.raises(BundleCorrupt, match="calls itself small/1"):
        bundles.load(path.with_name("2"), UNSIGNED)


def test_a_version_is_never_overwritten(path: Path) -> None:
    before = (path / "manifest.json").read_bytes()

    with pytest.raises(ModelRejected, match="never overwritten"):
        bundles.save(path, DESCRIBED, BOOSTED, ROWS[:8], "")

    assert before == (path / "manifest.json").read_bytes()


def test_a_failed_save_leaves_nothing(tmp_path: Path) -> None:
    wrong = msgspec.structs.replace(DESCRIBED, catalog_digest="0" * 16)

    with pytest.raises(CatalogMismatch):
        bundles.save(tmp_path / "small" / "1", wrong, BOOSTED, ROWS[:8], "")

    assert list((tmp_path / "small").iterdir()) == []


def test_another_patch_of_scikit_learn_is_a_warning_if_the_golden_rows_agree(path: Path) -> None:
    patched = f"{sklearn.__version__.rpartition('.')[0]}.99"
    redeclare(path, sklearn=patched)

    assert patched in "".join(bundles.load(path, UNSIGNED).warnings)


def test_another_release_of_scikit_learn_is_refused(path: Path) -> None:
    redeclare(path, sklearn="1.0.0")

    with pytest.raises(LibraryMismatch, match=r"fitted with scikit-learn 1\.0\.0, this is"):
        bundles.load(path, UNSIGNED)


class TestChampion:
    def test_is_named_by_the_aliases(self, path: Path) -> None:
        models = path.parent.parent
        (models / "aliases.toml").write_text('champion = "small/1"\n')

        assert bundles.champion(models, "", UNSIGNED).reference.name == "small"

    def test_may_be_overridden(self, path: Path) -> None:
        assert bundles.champion(path.parent.parent, "small/1", UNSIGNED).reference.name == "small"

    @pytest.mark.parametrize(
        "text", ["", 'champion = "small/9"', "champion = 3", "no toml", 'champion = "../x"']
    )
    def test_needs_an_alias_that_names_a_bundle(self, path: Path, text: str) -> None:
        (path.parent.parent / "aliases.toml").write_text(text)

        with pytest.raises(ModelRejected):
            bundles.champion(path.parent.parent, "", UNSIGNED)

    def test_needs_the_aliases_file(self, path: Path) -> None:
        with pytest.raises(ModelRejected, match="FRAUDSTREAM_MODEL_DIR"):
            bundles.champion(path.parent.parent, "", UNSIGNED)


def test_an_estimator_is_always_serialized_to_the_same_bytes() -> None:
    again = skops_files.loads(skops_files.dumps(BOOSTED))

    assert skops_files.dumps(BOOSTED) == skops_files.dumps(again)


def test_a_linear_model_scores_as_its_estimator(tmp_path: Path) -> None:
    rows = np.nan_to_num(ROWS)
    estimator = LogisticRegression().fit(rows, FRAUDS)

    model = bundles.save(tmp_path / "small" / "1", DESCRIBED, estimator, rows[:64], "")

    assert np.array_equal(estimator.predict_proba(rows)[:, 1], model.score(rows))
