"""What is read of a bundle's files is bounded: their size and kind, the golden rows, and what the manifest says."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.frozen import FrozenEstimator

from app.adapters.models import aliases, bundles, golden, manifest, skops_files
from app.adapters.models.checks.limits import DEFAULT_LIMITS, Limits
from app.adapters.models.loading import UNSIGNED, Loading
from app.adapters.parquet_format import pages
from app.errors import BundleCorrupt, GoldenRowMismatch, ModelRejected
from app.features import catalog
from app.settings import ModelSettings
from tests.unit.forgeries import redeclare
from tests.unit.models.test_archive_bounds import with_schema
from tests.unit.small_bundle import BOOSTED, saved

COLUMNS = (*catalog.NAMES, "score")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return saved(tmp_path)


def test_the_limits_are_those_of_the_settings() -> None:
    settings = ModelSettings(max_bundle_bytes=2**21, max_golden_rows=3, max_tree_nodes=9)

    assert Loading.by(settings).limits == Limits(bundle_bytes=2**21, golden_rows=3, tree_nodes=9)


@pytest.mark.parametrize("name", ["manifest.json", *manifest.OTHER_FILES])
def test_a_large_file_is_not_read(path: Path, name: str) -> None:
    size = DEFAULT_LIMITS.bundle_bytes + 1 if name == manifest.MODEL_FILE else 2**22
    os.truncate(path / name, size)

    with pytest.raises(BundleCorrupt, match="larger than"):
        bundles.load(path, UNSIGNED)


@pytest.mark.parametrize("name", ["manifest.json", *manifest.OTHER_FILES])
@pytest.mark.parametrize("make", [os.mkfifo, lambda file: file.symlink_to("/dev/zero"), Path.mkdir])
def test_a_file_of_another_kind_is_refused(path: Path, name: str, make: Callable[[Path], None]) -> None:
    """A named pipe would be opened for ever, and a device never ends."""
    (path / name).unlink()
    make(path / name)

    with pytest.raises(BundleCorrupt, match=r"no regular file|Is a directory"):
        bundles.load(path, UNSIGNED)


@pytest.mark.parametrize("content", ["a = " + "[" * 50_000, "#" * 70_000, f"champion = '{'x/' * 200}'"])
def test_aliases_are_bounded(path: Path, content: str) -> None:
    models = path.parent.parent
    (models / aliases.FILE_NAME).write_text(content)

    with pytest.raises(ModelRejected):
        bundles.champion(models, "", UNSIGNED)


@pytest.mark.parametrize("reference", ["a" * 300 + "/1", "a/" + "1" * 300, "a\0/1", "../1", "a/..", "a/1/2"])
def test_a_reference_is_bounded(tmp_path: Path, reference: str) -> None:
    with pytest.raises(ModelRejected, match="not a reference"):
        aliases.bundle_path(tmp_path, reference)


def test_there_are_few_challengers(tmp_path: Path) -> None:
    challengers = json.dumps(["a/1"] * (aliases.MOST_CHALLENGERS + 1))
    (tmp_path / aliases.FILE_NAME).write_text(f'champion = "a/1"\nchallengers = {challengers}\n')

    with pytest.raises(ModelRejected, match="length"):
        aliases.read_aliases(tmp_path)


ODD_DISTRIBUTIONS: list[dict[str, Any]] = [
    {"counts": [1]},
    {"counts": []},
    {"counts": [1, 2, -1]},
    {"missing": -1},
    {"edges": [2.0, 1.0]},
    {"edges": [1.0, 1.0]},
    {"edges": [1.0, 1e999]},
    {"median": -1e999},
]


@pytest.mark.parametrize("odd", ODD_DISTRIBUTIONS)
def test_a_distribution_that_would_end_a_worker_later_is_refused(path: Path, odd: dict[str, Any]) -> None:
    """A worker counts its rows into the bins of the manifest."""
    content = json.loads((path / "manifest.json").read_bytes())
    sound = {"edges": [1.0, 2.0], "counts": [1, 2, 3], "missing": 0, "median": 1.5}
    content["distributions"]["transaction_amount"] = sound | odd
    (path / "manifest.json").write_text(json.dumps(content).replace("Infinity", "1e999"))

    with pytest.raises(BundleCorrupt, match="not a manifest"):
        bundles.load(path, UNSIGNED)


@pytest.mark.parametrize("content", [b'{"name":"\xc0"}', b"[" * 90_000, b"{", b""])
def test_other_bytes_are_no_manifest(path: Path, content: bytes) -> None:
    (path / "manifest.json").write_bytes(content)

    with pytest.raises(BundleCorrupt, match="not a manifest"):
        bundles.load(path, UNSIGNED)


def rows_file(rows: int, **options: Any) -> bytes:
    target = io.BytesIO()
    table = pa.table({name: np.zeros(rows) for name in COLUMNS})
    pq.write_table(table, target, compression="zstd", **{"use_dictionary": False} | options)
    return target.getvalue()


def refusal(data: bytes, limits: Limits = DEFAULT_LIMITS) -> str:
    with pytest.raises(BundleCorrupt) as caught:
        golden.read(data, Path("golden.parquet"), catalog.NAMES, limits)
    return str(caught.value)


def test_the_number_of_golden_rows_is_bounded_by_the_setting() -> None:
    """Each takes a bit of the file, and a call of the model."""
    assert "FRAUDSTREAM_MODEL_MAX_GOLDEN_ROWS" in refusal(rows_file(DEFAULT_LIMITS.golden_rows + 1))


def test_pages_that_unpack_to_more_than_the_rows_are_refused() -> None:
    """The footer says how many rows there are; the pages say for themselves what Arrow allocates."""
    data = bytearray(rows_file(64))
    group = pq.ParquetFile(io.BytesIO(bytes(data))).metadata.row_group(0)
    for at in range(group.num_columns):
        header = group.column(at).data_page_offset
        assert data[header + 2] == 0x15  # a 32-bit number, the second of the header: the unpacked size
        data[header + 3 : header + 5] = b"\xfe\x7f"  # 8,191

    assert "unpack to 27" in refusal(bytes(data), DEFAULT_LIMITS._replace(golden_rows=64))


@pytest.mark.parametrize(
    "data",
    [
        rows_file(4, use_dictionary=True),
        rows_file(4, row_group_size=2),
        rows_file(0),
        b"",
        b"PAR1" * 3,
    ],
    ids=["dictionary", "groups", "none", "empty", "magic"],
)
def test_other_files_are_no_golden_rows(data: bytes) -> None:
    assert "holds no golden rows" in refusal(data)


@pytest.mark.parametrize("column", [pa.array(["x" * 1_000]), pa.array([[1.0]]), pa.array([1])])
def test_other_columns_are_no_golden_rows(column: pa.Array) -> None:
    target = io.BytesIO()
    pq.write_table(
        pa.table({name: [0.0] for name in COLUMNS} | {"more": column}), target, use_dictionary=False
    )

    assert "holds no golden rows" in refusal(target.getvalue())


@given(st.integers(1, 3_000), st.sampled_from(["none", "zstd", "snappy"]), st.integers(64, 20_000))
def test_the_sizes_of_pages_are_those_that_arrow_says(rows: int, codec: str, page: int) -> None:
    target = io.BytesIO()
    table = pa.table({"a": np.arange(float(rows))})
    pq.write_table(table, target, compression=codec, use_dictionary=False, data_page_size=page)
    data = target.getvalue()
    column = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(0)

    begin = column.data_page_offset
    sizes = list(pages.unpacked_sizes(data, begin, begin + column.total_compressed_size))

    assert rows * 8 <= sum(sizes) < column.total_uncompressed_size


@given(st.binary(max_size=200), st.integers(0, 220))
def test_any_bytes_are_pages_or_refused(data: bytes, end: int) -> None:
    try:
        assert all(size >= 0 for size in pages.unpacked_sizes(data, 0, end))
    except ValueError:
        return


@pytest.mark.parametrize("shape", [(3, 1), (1,), (3, 3)])
def test_scores_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    """Equal numbers of another shape compare as equal, and would end a worker at its first chunk."""
    with pytest.raises(GoldenRowMismatch, match="shape"):
        golden.check(np.full(shape, 0.5), np.full(3, 0.5), Path("model"))


def test_a_model_whose_parts_do_not_fit_is_refused(path: Path) -> None:
    """An error of any kind is a refusal, else it would end the loop that follows orders."""
    stored = skops_files.dumps(FrozenEstimator(BOOSTED))
    hollow = with_schema(lambda described: described["content"]["content"].pop("estimator"), stored)
    (path / "model.skops").write_bytes(hollow)
    redeclare(path)

    with pytest.raises(BundleCorrupt, match="recursion error"):
        bundles.load(path, UNSIGNED)
