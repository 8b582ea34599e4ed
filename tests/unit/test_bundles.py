"""A bundle is sound, or it is refused for a reason that has a name."""

import io
import json
import pickle
import re
import shutil
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow.parquet
import pytest
import sklearn
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from app.adapters import bundles, manifest, skops_files
from app.adapters.manifest import Manifest, ProfileBounds, TrainingWindow
from app.domain.decision import Thresholds
from app.errors import (
    BundleCorrupt,
    CatalogMismatch,
    GoldenRowMismatch,
    LibraryMismatch,
    ModelRejected,
)
from app.features import catalog
from app.scoring.model import Distribution, Rows
from tests.unit.forgeries import redeclare

WIDTH = len(catalog.NAMES)
NOTHING = Distribution(edges=[], counts=[0], missing=0, median=None)
DESCRIBED = Manifest(
    name="small",
    version="1",
    created="2025-01-31",
    sklearn=sklearn.__version__,
    catalog_version=catalog.VERSION,
    catalog_digest=catalog.DIGEST,
    features=list(catalog.NAMES),
    thresholds=Thresholds(review=0.2, decline=0.8),
    training=TrainingWindow(first_event_time=0, last_event_time=1, rows=2, frauds=1),
    profile=ProfileBounds(allowed_lateness_seconds=86_400, max_events=4096),
    metrics={"auc_roc": None},
    distributions=dict.fromkeys(catalog.NAMES, NOTHING),
    scores=NOTHING,
)


def made_up_rows(count: int) -> Rows:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(count, WIDTH))
    rows[rng.random(rows.shape) < 0.05] = np.nan
    return rows


ROWS = made_up_rows(2000)
FRAUDS = (np.nan_to_num(ROWS[:, 0]) + np.nan_to_num(ROWS[:, 5]) > 2).astype(int)
BOOSTED = HistGradientBoostingClassifier(max_iter=10, early_stopping=False, random_state=0).fit(ROWS, FRAUDS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    bundles.save(tmp_path / "small" / "1", DESCRIBED, BOOSTED, ROWS[:64], "# small/1\n")
    return tmp_path / "small" / "1"


def test_a_loaded_bundle_scores_to_the_bit_as_its_estimator_in_chunks_of_any_size(path: Path) -> None:
    model = bundles.load(path)

    expected = BOOSTED.predict_proba(ROWS)[:, 1]

    for size in (1, 2, 7, 63, 64, 65, 500, 2000):
        chunks = [model.score(ROWS[at : at + size]) for at in range(0, len(ROWS), size)]
        assert np.array_equal(expected, np.concatenate(chunks)), size


def test_no_rows_have_no_scores(path: Path) -> None:
    assert bundles.load(path).score(np.empty((0, WIDTH))).tolist() == []


def test_a_model_is_known_by_the_sha256_of_its_manifest(path: Path) -> None:
    digest = sha256((path / "manifest.json").read_bytes()).hexdigest()

    assert ("small", "1", digest) == msgspec.structs.astuple(bundles.load(path).reference)


@pytest.mark.parametrize("name", ["manifest.json", *manifest.OTHER_FILES])
def test_a_flipped_bit_in_any_file_is_noticed(path: Path, name: str) -> None:
    content = bytearray((path / name).read_bytes())
    content[len(content) // 2] ^= 0x80
    (path / name).write_bytes(content)

    with pytest.raises(BundleCorrupt, match=name):
        bundles.load(path)


@pytest.mark.parametrize("name", ["manifest.json", *manifest.OTHER_FILES])
def test_a_missing_file_is_noticed(path: Path, name: str) -> None:
    (path / name).unlink()

    with pytest.raises(BundleCorrupt, match=name):
        bundles.load(path)


def test_a_manifest_with_a_field_of_another_release_is_refused(path: Path) -> None:
    content = json.loads((path / "manifest.json").read_bytes()) | {"unheard_of": 1}
    (path / "manifest.json").write_text(json.dumps(content))

    with pytest.raises(BundleCorrupt, match="unheard_of"):
        bundles.load(path)


@pytest.mark.parametrize(
    "change", [{"catalog_digest": "0" * 16}, {"features": list(reversed(catalog.NAMES))}]
)
def test_a_model_of_other_features_is_refused(path: Path, change: dict[str, Any]) -> None:
    redeclare(path, **change)

    with pytest.raises(CatalogMismatch, match="Train a model with this release"):
        bundles.load(path)


@pytest.mark.parametrize("score", [0.5, float("nan"), 1.5])
def test_golden_rows_that_score_otherwise_are_refused(path: Path, score: float) -> None:
    table = pyarrow.parquet.read_table(path / "golden.parquet").to_pydict()
    table["score"][3] = score
    pyarrow.parquet.write_table(pyarrow.table(table), path / "golden.parquet")
    redeclare(path)

    with pytest.raises(GoldenRowMismatch):
        bundles.load(path)


def test_a_model_that_gives_no_probability_is_refused(path: Path) -> None:
    forged = skops_files.loads((path / "model.skops").read_bytes())
    forged._baseline_prediction[:] = np.nan
    (path / "model.skops").write_bytes(skops_files.dumps(forged))
    redeclare(path)

    with pytest.raises(GoldenRowMismatch, match="NaN"):
        bundles.load(path)


def test_a_bundle_under_another_name_is_refused(path: Path) -> None:
    shutil.copytree(path, path.with_name("2"))

    with pytest.raises(BundleCorrupt, match="calls itself small/1"):
        bundles.load(path.with_name("2"))


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


def test_another_patch_of_scikit_learn_is_told_when_the_golden_rows_agree(path: Path) -> None:
    patched = f"{sklearn.__version__.rpartition('.')[0]}.99"
    redeclare(path, sklearn=patched)

    assert patched in "".join(bundles.load(path).warnings)


def test_another_release_of_scikit_learn_is_refused(path: Path) -> None:
    redeclare(path, sklearn="1.0.0")

    with pytest.raises(LibraryMismatch, match=r"fitted with scikit-learn 1\.0\.0, this is"):
        bundles.load(path)


class TestChampion:
    def test_is_the_one_of_the_aliases(self, path: Path) -> None:
        models = path.parent.parent
        (models / "aliases.toml").write_text('champion = "small/1"\n')

        assert bundles.champion(models).reference.name == "small"

    def test_is_the_override_where_there_is_one(self, path: Path) -> None:
        assert bundles.champion(path.parent.parent, "small/1").reference.name == "small"

    @pytest.mark.parametrize(
        "text", ["", 'champion = "small/9"', "champion = 3", "no toml", 'champion = "../x"']
    )
    def test_needs_an_alias_that_names_a_bundle(self, path: Path, text: str) -> None:
        (path.parent.parent / "aliases.toml").write_text(text)

        with pytest.raises(ModelRejected):
            bundles.champion(path.parent.parent)

    def test_needs_aliases(self, path: Path) -> None:
        with pytest.raises(ModelRejected, match="FRAUDSTREAM_MODEL_DIR"):
            bundles.champion(path.parent.parent)


class Spy:
    """Tells when it was brought to life."""

    alive: list[str] = []  # noqa: RUF012  # shared on purpose: the test looks at it after loading

    def __init__(self, name: str) -> None:
        self.name = name

    def __setstate__(self, state: dict[str, str]) -> None:
        self.alive.append(state["name"])


class Payload(NamedTuple):
    """A pickle of it makes a file when it is opened."""

    marker: Path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


class TestForgedModels:
    """The manifest's digests are right; what is inside must be refused by itself."""

    @pytest.fixture(autouse=True)
    def nobody_alive(self) -> None:
        Spy.alive.clear()

    def test_the_spy_tells_when_a_file_brings_it_to_life(self) -> None:
        data = skops.io.dumps(Spy("awake"))

        skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))

        assert Spy.alive == ["awake"]

    def test_a_type_outside_the_list_is_refused_before_it_is_made(self, path: Path) -> None:
        replace_model(path, skops.io.dumps(Spy("asleep")))

        with pytest.raises(BundleCorrupt, match=r"Spy.*not trusted"):
            bundles.load(path)

        assert Spy.alive == []

    def test_a_type_hidden_in_an_estimator_is_refused(self, path: Path) -> None:
        estimator = LogisticRegression().fit(np.nan_to_num(ROWS), FRAUDS)
        estimator.hidden_ = Spy("asleep")
        replace_model(path, skops.io.dumps(estimator))

        with pytest.raises(BundleCorrupt, match="not trusted"):
            bundles.load(path)

        assert Spy.alive == []

    @pytest.mark.parametrize(
        "node",
        [
            {"__class__": "system", "__module__": "posix", "__loader__": "FunctionNode"},
            {"__class__": "system", "__module__": "posix", "__loader__": "ObjectNode"},
            {"__class__": "dict", "__module__": "builtins", "__loader__": "MethodNode"},
            {"__class__": "attrgetter", "__module__": "operator", "__loader__": "OperatorFuncNode"},
            {"__module__": "posix"},
        ],
    )
    def test_a_node_of_the_schema_that_could_call_something_is_refused(
        self, path: Path, node: dict[str, str]
    ) -> None:
        replace_model(path, with_schema(skops.io.dumps(BOOSTED), node))

        with pytest.raises(BundleCorrupt, match="not trusted"):
            bundles.load(path)

    def test_a_pickle_is_never_opened(self, path: Path, tmp_path: Path) -> None:
        marker = tmp_path / "marker"
        payload = pickle.dumps(Payload(marker))
        replace_model(path, payload)

        with pytest.raises(BundleCorrupt, match="no skops file"):
            bundles.load(path)

        assert not marker.exists()
        pickle.loads(payload)  # noqa: S301  # the payload is one: whoever opens it makes the marker
        assert marker.exists()

    def test_a_pickle_among_the_numbers_is_refused(self, path: Path, tmp_path: Path) -> None:
        content, marker = io.BytesIO(skops.io.dumps(BOOSTED)), tmp_path / "marker"
        with zipfile.ZipFile(content, "a") as archive:
            archive.writestr("1.pkl", pickle.dumps(Payload(marker)))
        replace_model(path, content.getvalue())

        with pytest.raises(BundleCorrupt, match="neither numbers nor the schema"):
            bundles.load(path)

        assert not marker.exists()

    def test_a_pickle_in_the_place_of_numbers_is_never_opened(self, path: Path, tmp_path: Path) -> None:
        source, target = zipfile.ZipFile(path / "model.skops"), io.BytesIO()
        marker = tmp_path / "marker"
        with zipfile.ZipFile(target, "w") as archive:
            for name in source.namelist():
                is_first = name == "1.npy"
                archive.writestr(name, pickle.dumps(Payload(marker)) if is_first else source.read(name))
        replace_model(path, target.getvalue())

        with pytest.raises(BundleCorrupt):
            bundles.load(path)

        assert not marker.exists()

    @pytest.mark.parametrize(("field", "value"), [("left", 10**6), ("right", 0), ("feature_idx", 10**6)])
    def test_a_tree_that_leads_out_of_memory_or_in_circles_is_refused(
        self, path: Path, field: str, value: int
    ) -> None:
        forged = skops_files.loads((path / "model.skops").read_bytes())
        forged._predictors[0][0].nodes[field][0] = value
        replace_model(path, skops_files.dumps(forged))

        with pytest.raises(BundleCorrupt, match="malformed"):
            bundles.load(path)


class TestForgedForests:
    """sklearn's own walker trusts the nodes, so nothing may walk them before they were looked at."""

    @pytest.fixture
    def forest(self, tmp_path: Path) -> Path:
        estimator = RandomForestClassifier(n_estimators=3, max_depth=4, random_state=0).fit(ROWS, FRAUDS)
        bundles.save(tmp_path / "small" / "1", DESCRIBED, estimator, ROWS[:64], "")
        return tmp_path / "small" / "1"

    def test_a_sound_forest_scores_to_the_bit_as_its_estimator(self, forest: Path) -> None:
        estimator = RandomForestClassifier(n_estimators=3, max_depth=4, random_state=0).fit(ROWS, FRAUDS)

        assert np.array_equal(estimator.predict_proba(ROWS)[:, 1], bundles.load(forest).score(ROWS))

    @pytest.mark.parametrize(
        ("column", "value"),
        [("left_child", 10**6), ("right_child", 0), ("left_child", -7), ("feature", 10**6), ("feature", -3),
         ("weighted_n_node_samples", 0.0)],
    )  # fmt: skip
    @pytest.mark.parametrize("wrapped", [False, True], ids=["alone", "behind a pipeline"])
    def test_a_tree_that_leads_out_of_memory_or_in_circles_is_refused(
        self, forest: Path, column: str, value: float, *, wrapped: bool
    ) -> None:
        forged = skops_files.loads((forest / "model.skops").read_bytes())
        tree = forged.estimators_[1].tree_
        state = tree.__getstate__()
        state["nodes"][column][1 if column.startswith("weighted") else 0] = value
        tree.__setstate__(state)
        model = make_pipeline(SimpleImputer().fit(ROWS), forged) if wrapped else forged
        replace_model(forest, skops_files.dumps(model))

        with pytest.raises(BundleCorrupt, match="malformed"):
            bundles.load(forest)

    def test_a_lone_tree_is_looked_at_too(self, forest: Path) -> None:
        forged = DecisionTreeClassifier(random_state=0).fit(ROWS, FRAUDS)
        state = forged.tree_.__getstate__()
        state["nodes"]["feature"][0] = 10**6
        forged.tree_.__setstate__(state)
        replace_model(forest, skops_files.dumps(forged))

        with pytest.raises(BundleCorrupt, match="malformed"):
            bundles.load(forest)

    @pytest.mark.parametrize("count", [-1, 0, 3])
    def test_a_tree_that_says_it_has_other_nodes_than_it_has_is_refused(
        self, forest: Path, count: int
    ) -> None:
        replace_model(forest, with_replaced(forest, '"node_count"', count))

        with pytest.raises(BundleCorrupt):
            bundles.load(forest)

    def test_a_boosted_model_that_claims_categories_is_refused(self, path: Path) -> None:
        """Where a forged category says, sklearn would write when it scores."""
        forged = skops_files.loads((path / "model.skops").read_bytes())
        forged._bin_mapper.is_categorical_ = np.ones(WIDTH, np.uint8)
        replace_model(path, skops_files.dumps(forged))

        with pytest.raises(BundleCorrupt, match="categories"):
            bundles.load(path)


def with_replaced(path: Path, key: str, value: int) -> bytes:
    """The model file with every number under a key of its schema replaced."""
    source, target = zipfile.ZipFile(path / "model.skops"), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            content = source.read(name)
            if name == "schema.json":
                pattern = key.encode() + rb'(: \{[^}]*"content": )"-?\d+"'
                content, found = re.subn(pattern, key.encode() + rb'\1"%d"' % value, content)
                assert found
            archive.writestr(name, content)
    return target.getvalue()


def replace_model(path: Path, content: bytes) -> None:
    (path / "model.skops").write_bytes(content)
    redeclare(path)


def with_schema(data: bytes, node: dict[str, str]) -> bytes:
    """The skops file with a node added to its schema."""
    source, target = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            content = source.read(name)
            if name == "schema.json":
                content = json.dumps(json.loads(content) | {"added": node}).encode()
            archive.writestr(name, content)
    return target.getvalue()


def test_the_same_estimator_has_the_same_bytes() -> None:
    again = skops_files.loads(skops_files.dumps(BOOSTED))

    assert skops_files.dumps(BOOSTED) == skops_files.dumps(again)


def test_a_linear_model_scores_too(tmp_path: Path) -> None:
    rows = np.nan_to_num(ROWS)
    estimator = LogisticRegression().fit(rows, FRAUDS)

    model = bundles.save(tmp_path / "small" / "1", DESCRIBED, estimator, rows[:64], "")

    assert np.array_equal(estimator.predict_proba(rows)[:, 1], model.score(rows))
