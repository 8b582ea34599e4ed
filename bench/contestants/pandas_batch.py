"""`fraudstream features` and `fraudstream score` as a pandas script: Parquet in, Parquet out.

    python -m bench.contestants.pandas_batch FILE.parquet --out OUT.parquet [--score MODELS]

MODELS is a directory of bundles; its champion scores by scikit-learn's ``predict_proba``, in all its threads.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet

from app.adapters.models import manifest, skops_files
from app.adapters.models.aliases import bundle_path, read_aliases
from app.adapters.models.manifest import FILE_NAME, MODEL_FILE
from app.domain.decision import Thresholds
from bench.contestants.pandas_features import features

HANDBOOK = {
    "TRANSACTION_ID": "transaction_id",
    "CUSTOMER_ID": "customer_id",
    "TERMINAL_ID": "terminal_id",
    "TX_DATETIME": "event_time",
    "TX_AMOUNT": "amount_minor",
    "TX_FRAUD": "is_fraud",
}
CONTRACT = (*HANDBOOK.values(), "latitude", "longitude")
KEPT = ("transaction_id", "customer_id", "event_time", "amount_minor")


def read(path: Path) -> pd.DataFrame:
    """Read a file of the Handbook or of the event schema into the columns that ``features`` takes."""
    names = pyarrow.parquet.read_schema(path).names
    if "TX_AMOUNT" in names:
        frame = pd.read_parquet(path, columns=list(HANDBOOK)).rename(columns=HANDBOOK)
        frame["amount_minor"] = (100 * frame["amount_minor"]).round().astype("int64")
        return frame
    frame = pd.read_parquet(path, columns=[name for name in CONTRACT if name in names])
    frame["event_time"] = pd.to_datetime(frame["event_time"], unit="ms")
    return frame


def load_model(models: Path) -> tuple[Any, Thresholds]:
    """Load the champion as a scikit-learn estimator, with its thresholds."""
    path = bundle_path(models, read_aliases(models).champion)
    estimator = skops_files.loads(manifest.read(path, MODEL_FILE))
    return estimator, manifest.decode(manifest.read(path, FILE_NAME), path).thresholds


def score(transactions: pd.DataFrame, estimator: Any, thresholds: Thresholds) -> pd.DataFrame:
    """Return the columns of `fraudstream score` that vary by row."""
    chances = estimator.predict_proba(features(transactions).to_numpy())[:, 1]
    edges = [-np.inf, thresholds.review, thresholds.decline, np.inf]
    outcomes = pd.cut(chances, edges, right=False, labels=["approve", "review", "decline"])
    return transactions[list(KEPT)].assign(score=chances, outcome=outcomes.astype(str))


def main() -> None:
    """Run, and print the number of rows and the seconds from the first read to the last write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--score", type=Path, metavar="MODELS")
    options = parser.parse_args()
    model = load_model(options.score) if options.score else None
    started = time.perf_counter()
    transactions = read(options.file)
    if model:
        table = score(transactions, *model)
    else:
        table = features(transactions)
        table.insert(0, "transaction_id", transactions["transaction_id"])
    table.to_parquet(options.out, compression="zstd", index=False)
    print(json.dumps({"rows": len(table), "seconds": round(time.perf_counter() - started, 3)}))


if __name__ == "__main__":
    main()
