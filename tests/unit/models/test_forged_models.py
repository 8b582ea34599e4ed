"""Reading a model file never executes code from it."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from app.adapters.models import bundles, skops_files
from app.adapters.models.loading import UNSIGNED
from app.errors import (
    BundleCorrupt,
)
from tests.unit.small_bundle import (
    BOOSTED,
    FRAUDS,
    ROWS,
    replace_model,
    saved,
    with_schema,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return saved(tmp_path)


class Spy:
    """Records that it was deserialized."""

    deserialized: list[str] = []  # noqa: RUF012  # shared on purpose: the test looks at it after loading

    def __init__(self, name: str) -> None:
        self.name = name

    def __setstate__(self, state: dict[str, str]) -> None:
        self.deserialized.append(state["name"])


class Payload(NamedTuple):
    """Its pickle creates a file when it is loaded."""

    marker: Path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


class TestForgedModels:
    """The manifest's digests match, so that only the check of the content can refuse the file."""

    @pytest.fixture(autouse=True)
    def no_spy_recorded(self) -> None:
        Spy.deserialized.clear()

    def test_the_spy_records_an_unsafe_load(self) -> None:
        data = skops.io.dumps(Spy("awake"))

        skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))

        assert Spy.deserialized == ["awake"]

    def test_an_untrusted_type_is_refused_before_it_is_created(self, path: Path) -> None:
        replace_model(path, skops.io.dumps(Spy("asleep")))

        with pytest.raises(BundleCorrupt, match=r"Spy.*not trusted"):
            bundles.load(path, UNSIGNED)

        assert Spy.deserialized == []

    def test_an_untrusted_type_inside_an_estimator_is_refused(self, path: Path) -> None:
        estimator = LogisticRegression().fit(np.nan_to_num(ROWS), FRAUDS)
        estimator.hidden_ = Spy("asleep")
        replace_model(path, skops.io.dumps(estimator))

        with pytest.raises(BundleCorrupt, match="not trusted"):
            bundles.load(path, UNSIGNED)

        assert Spy.deserialized == []

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
    def test_a_schema_node_that_could_call_a_function_is_refused(
        self, path: Path, node: dict[str, str]
    ) -> None:
        replace_model(path, with_schema(skops.io.dumps(BOOSTED), node))

        with pytest.raises(BundleCorrupt, match="not trusted"):
            bundles.load(path, UNSIGNED)

    def test_a_pickle_is_never_loaded(self, path: Path, tmp_path: Path) -> None:
        marker = tmp_path / "marker"
        payload = pickle.dumps(Payload(marker))
        replace_model(path, payload)

        with pytest.raises(BundleCorrupt, match="not a skops file"):
            bundles.load(path, UNSIGNED)

        assert not marker.exists()
        pickle.loads(payload)  # noqa: S301  # shows that loading the payload creates the marker
        assert marker.exists()

    def test_a_pickle_next_to_the_arrays_is_refused(self, path: Path, tmp_path: Path) -> None:
        content, marker = io.BytesIO(skops.io.dumps(BOOSTED)), tmp_path / "marker"
        with zipfile.ZipFile(content, "a") as archive:
            archive.writestr("1.pkl", pickle.dumps(Payload(marker)))
        replace_model(path, content.getvalue())

        with pytest.raises(BundleCorrupt, match="neither numbers nor the schema"):
            bundles.load(path, UNSIGNED)

        assert not marker.exists()

    def test_a_pickle_in_place_of_an_array_is_never_loaded(self, path: Path, tmp_path: Path) -> None:
        source, target = zipfile.ZipFile(path / "model.skops"), io.BytesIO()
        marker = tmp_path / "marker"
        with zipfile.ZipFile(target, "w") as archive:
            for name in source.namelist():
                is_first = name == "1.npy"
                archive.writestr(name, pickle.dumps(Payload(marker)) if is_first else source.read(name))
        replace_model(path, target.getvalue())

        with pytest.raises(BundleCorrupt):
            bundles.load(path, UNSIGNED)

        assert not marker.exists()

    @pytest.mark.parametrize(("field", "value"), [("left", 10**6), ("right", 0), ("feature_idx", 10**6)])
    def test_a_tree_with_an_invalid_index_or_a_cycle_is_refused(
        self, path: Path, field: str, value: int
    ) -> None:
        forged = skops_files.loads((path / "model.skops").read_bytes())
        forged._predictors[0][0].nodes[field][0] = value
        replace_model(path, skops_files.dumps(forged))

        with pytest.raises(BundleCorrupt, match="malformed"):
            bundles.load(path, UNSIGNED)
