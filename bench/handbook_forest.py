"""The published forest on the published features, by our protocol: `python -m bench.handbook_forest [--json]`.

It shows that `fraudstream evaluate --protocol prequential` measures what the Fraud Detection Handbook measured: the
mean of four folds must lie within .01 of the published row. Its data must lie beside the project.
"""

import argparse
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from app.training import metrics
from app.training.folds import Fold, Protocol, folds
from app.training.scored_dataset import ScoredDataset
from bench.data import handbook_features
from bench.data.events import HANDBOOK
from bench.data.handbook_features import DAY_SECONDS, Handbook, Reals
from bench.harness import results

PUBLISHED = {"auc_roc": 0.870, "average_precision": 0.678, "card_precision": 0.299}
"""Random forest, prequential, test (its Chapter_7/SequentialModeling.ipynb)."""
TOLERANCE = 0.01
TOP_K = 100


def measure(data: Handbook, rows: Reals, fold: Fold) -> dict[str, float | None]:
    """Fit a forest on the training days of a fold and measure it on its test days."""
    days = data.seconds // DAY_SECONDS
    fitted, tested = fold.trains(days), fold.tests(days, data.customers, data.frauds)
    forest = RandomForestClassifier(n_estimators=100, max_depth=20, random_state=0, n_jobs=2)
    forest.fit(rows[fitted], data.frauds[fitted])
    scored = ScoredDataset(
        scores=forest.predict_proba(rows[tested])[:, 1],
        frauds=data.frauds[tested],
        event_times=data.seconds[tested] * 1000,
        customers=data.customers[tested],
        amounts_minor=np.rint(data.amounts[tested] * 100).astype(np.int64),
        patterns=data.scenarios[tested],
    )
    return {
        "auc_roc": metrics.auc_roc(scored.scores, scored.frauds),
        "average_precision": metrics.average_precision(scored.scores, scored.frauds),
        "card_precision": metrics.card_precision(scored, TOP_K),
    }


def run(count: int = 4) -> list[dict[str, Any]]:
    """Measure ``count`` of the four folds, the newest first."""
    data = handbook_features.read(HANDBOOK)
    rows, days = handbook_features.features(data), data.seconds // DAY_SECONDS
    found = []
    for number, fold in enumerate(folds(Protocol(), int(days[0]), int(days[-1]))[:count]):
        found.append({"fold": str(number)} | measure(data, rows, fold))
        results.progress(f"fold {number}: {found[-1]}")
    return found


def mean(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"fold": "mean"} | {name: float(np.mean([row[name] for row in found])) for name in PUBLISHED}


def table(found: list[dict[str, Any]]) -> str:
    rows = [[row["fold"], *(f"{row[name]:.4f}" for name in PUBLISHED)] for row in found]
    rows.append(["published", *(f"{value:.3f}" for value in PUBLISHED.values())])
    return results.table(("fold", *PUBLISHED), rows)


def main() -> None:
    """Run, print and write ``bench/results/handbook_forest.json``; exit code 1 when the mean differs from the published row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    found = run()
    found.append(mean(found))
    content = results.document(
        "bench.handbook_forest", found, source="handbook", published=PUBLISHED, tolerance=TOLERANCE
    )
    results.publish("handbook_forest", content, table(found), as_json=options.json)
    far = [name for name, value in PUBLISHED.items() if abs(found[-1][name] - value) > TOLERANCE]
    if far:
        raise SystemExit(f"not the published row: {', '.join(far)}")


if __name__ == "__main__":
    main()
