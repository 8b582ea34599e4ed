"""Forged bundles with recomputed digests, so that only the check of the content can refuse them."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow.parquet

from app.adapters.models import manifest, skops_files
from app.features import catalog


class Forgery(NamedTuple):
    """A change to a valid bundle, and the expected error text."""

    spoil: Callable[[Path], None]
    said: str


def redeclare(path: Path, **changes: Any) -> None:
    """Change the manifest and recompute its digests."""
    described = manifest.decode((path / "manifest.json").read_bytes(), path)
    files = {name: sha256((path / name).read_bytes()).hexdigest() for name in manifest.OTHER_FILES}
    changed = msgspec.structs.replace(described, files=files, **changes)
    (path / "manifest.json").write_bytes(manifest.encode(changed))


def _pickle_with_a_payload(path: Path) -> None:
    (path / "model.skops").write_bytes(b"cposix\nsystem\n(S'touch pwned'\ntR.")
    redeclare(path)


def _truncated(path: Path) -> None:
    content = (path / "model.skops").read_bytes()
    (path / "model.skops").write_bytes(content[: len(content) // 2])
    redeclare(path)


def _swapped_feature(path: Path) -> None:
    first, second, *others = catalog.NAMES
    redeclare(path, features=[second, first, *others])


def _differing_golden_row(path: Path) -> None:
    table = pyarrow.parquet.read_table(path / "golden.parquet").to_pydict()
    table["score"][3] = 0.5
    pyarrow.parquet.write_table(pyarrow.table(table), path / "golden.parquet", use_dictionary=False)
    redeclare(path)


def _gives_nan(path: Path) -> None:
    estimator = skops_files.loads((path / "model.skops").read_bytes())
    estimator._baseline_prediction[:] = np.nan
    (path / "model.skops").write_bytes(skops_files.dumps(estimator))
    redeclare(path)


FORGERIES = {
    "pickle": Forgery(_pickle_with_a_payload, "not a skops file; a pickle is never opened"),
    "truncated": Forgery(_truncated, "a skops file that is cut off or damaged"),
    "feature": Forgery(
        _swapped_feature, "takes transaction_hour for its feature 0, the catalog has transaction_amount there"
    ),
    "golden": Forgery(_differing_golden_row, "scores its golden rows differently, by up to"),
    "nan": Forgery(_gives_nan, "gives a score that is NaN or outside [0, 1]"),
    "sklearn": Forgery(lambda path: redeclare(path, sklearn="1.0.0"), "was fitted with scikit-learn 1.0.0"),
}
