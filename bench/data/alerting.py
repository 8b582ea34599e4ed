"""The champion with another threshold, so that a known share of the events alerts.

Alerts are rare, and a percentile needs many. Model and cost of a decision stay the same; only more of them are alerts.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet
from numpy.typing import NDArray

from app.adapters.models import manifest
from app.adapters.models.aliases import bundle_path, read_aliases
from app.adapters.models.bundles import champion
from app.adapters.models.loading import UNSIGNED
from app.domain.decision import Thresholds
from app.features import catalog
from app.settings import Settings
from bench.data.numbered import numbered
from bench.harness.worker_process import REPOSITORY

_FRAUDSTREAM = "from app.cli import main; main()"

Scores = NDArray[np.float64]


def scores(count: int, directory: Path) -> Scores:
    """Return the scores of the first ``count`` events as a worker without Redis gives them.

    The features come from the batch command; delayed features are set to missing.
    """
    events, computed = directory / "stream.jsonl", directory / "features.parquet"
    encode = msgspec.json.Encoder().encode
    with events.open("wb") as lines:
        lines.writelines(encode(event) + b"\n" for event in numbered(0, count))
    subprocess.run(  # noqa: S603  # our own list of arguments
        [sys.executable, "-c", _FRAUDSTREAM, "features", str(events), "--out", str(computed)],
        cwd=REPOSITORY,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    table = pyarrow.parquet.read_table(computed).sort_by("transaction_id")
    if len(table) != count:
        raise RuntimeError(f"the features of {len(table)} of {count} events were computed")
    rows = np.column_stack([table[name].to_numpy() for name in catalog.NAMES])
    rows[:, catalog.DELAYED] = np.nan
    return champion(REPOSITORY / Settings().model.dir, "", UNSIGNED).score(rows)


def threshold(counted: Scores, share: float) -> float:
    """Return the score from which ``share`` of these events alert."""
    return float(np.quantile(counted, 1 - share))


def models(review: float, directory: Path) -> Path:
    """Create a directory of models whose champion reviews from this score on, and return it."""
    source = REPOSITORY / Settings().model.dir
    shutil.copytree(source, directory)
    bundle = bundle_path(directory, read_aliases(directory).champion)
    described = manifest.decode(manifest.read(bundle, manifest.FILE_NAME), bundle)
    moved = Thresholds(review=review, decline=max(review, described.thresholds.decline))
    (bundle / manifest.FILE_NAME).write_bytes(
        manifest.encode(msgspec.structs.replace(described, thresholds=moved))
    )
    return directory
