"""Cost of the reasons of an alert, and their agreement with shap: `python -m bench.reasons [--json]`.

The champion explains the alerts that it would raise on simulated traffic. A forest of 100 trees, and a logistic regression
behind an imputer and a scaler, both fitted to the same traffic, explain the same alerts. shap's figures are those of its
TreeExplainer, which answers another question (docs/models/reasons.md).
"""

import argparse
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec
import numpy as np
import shap
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from app.adapters.column_mapping import CONTRACT
from app.adapters.models import skops_files
from app.adapters.models.bundles import Bundle, champion
from app.adapters.models.estimators import scorers_of
from app.adapters.models.loading import UNSIGNED
from app.adapters.models.manifest import MODEL_FILE
from app.adapters.models.scorers import Scorers
from app.computation.feature_set import SHIPPED
from app.domain.acceptance import Acceptance
from app.domain.decision import ModelReference, Thresholds
from app.features.window import LONGEST_MS, Bounds
from app.history.feature_fold import release_fold
from app.history.fold_history import HistorySource
from app.scoring.model import Contributions, Distribution, Model, Rows, Scores
from app.scoring.reasons import Alerted, explain
from app.traffic.simulate import Simulation
from app.traffic.simulated_file import write_simulation
from app.training.dataset import Dataset, read_dataset
from bench.harness import results

MODELS = Path("models")
TRAFFIC = Simulation(customers=500, terminals=1000, days=40, seed=2, start=date(2025, 1, 1))
BOUNDS = Bounds(86_400_000, 4096)
MOST_ALERTS = 500
SHAP_ALERTS = 100
SHAP_TIMED = 5
"""Few, because shap takes a tenth of a second per alert of the forest."""


class Case(NamedTuple):
    """A model, its estimator, and the rows to explain."""

    name: str
    model: Model
    estimator: Any
    rows: Rows


class Fitted(NamedTuple):
    """A model without a bundle."""

    scorers: Scorers
    distributions: dict[str, Distribution]
    reference: ModelReference = ModelReference(name="fitted", version="1", digest="")
    thresholds: Thresholds = Thresholds(review=0.5, decline=0.9)

    def score(self, rows: Rows) -> Scores:
        """Score as the estimator does."""
        return self.scorers.own(rows)

    def contributions(self, rows: Rows) -> Contributions | None:
        """Return the contributions that the estimator gives."""
        return self.scorers.contributions(rows)


def cases() -> list[Case]:
    """Return the champion and two other models, with the rows on which the champion alerts."""
    bundle, traffic = champion(MODELS, "", UNSIGNED), _traffic()
    path = MODELS / bundle.reference.name / bundle.reference.version / MODEL_FILE
    alerts = traffic.rows[bundle.score(traffic.rows) >= bundle.thresholds.review][:MOST_ALERTS]
    linear = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    models = {"forest of 100 trees": RandomForestClassifier(random_state=0), "logistic regression": linear}
    return [
        Case("champion", bundle, skops_files.loads(path.read_bytes()), alerts),
        *(Case(name, _fitted(model, traffic, bundle), model, alerts) for name, model in models.items()),
    ]


def _traffic() -> Dataset:
    with TemporaryDirectory() as directory:
        file = Path(directory) / "traffic.parquet"
        write_simulation(TRAFFIC, file, lambda _: None)
        source = HistorySource(
            path=file, mapping=CONTRACT, acceptance=Acceptance(), now_ms=time.time_ns() // 1_000_000
        )
        return read_dataset(source, release_fold(BOUNDS), lambda _: None)


def _fitted(model: Any, traffic: Dataset, bundle: Bundle) -> Fitted:
    model.fit(traffic.rows, traffic.frauds.astype(np.int64))
    return Fitted(scorers_of(model, bundle.manifest.usual()), bundle.manifest.distributions)


def measure(one: Case, turns: int) -> dict[str, Any]:
    """Measure CPU microseconds per alert, one alert after the other as in a worker; also shap's, where it supports the model."""
    alerts = [Alerted(SHIPPED, values, "EUR", LONGEST_MS) for values in one.rows.tolist()]
    found = {
        "model": one.name,
        "alerts": len(alerts),
        "contributions_us": _micros(one.model.contributions, [row[None] for row in one.rows], turns),
        "reasons_us": _micros(lambda alerted: explain(alerted, one.model), alerts, turns),
    }
    if isinstance(one.estimator, Pipeline):
        return found
    explainer, few = shap.TreeExplainer(one.estimator), one.rows[:SHAP_ALERTS]
    found["shap_us"] = _micros(explainer.shap_values, [row[None] for row in few[:SHAP_TIMED]], turns)
    return found | agreement(one.model.contributions(few), explainer.shap_values(few))


def _micros(call: Callable[[Any], Any], arguments: list[Any], turns: int) -> list[float]:
    call(arguments[0])
    taken = []
    for _ in range(turns):
        begin = time.process_time()
        for argument in arguments:
            call(argument)
        taken.append(round((time.process_time() - begin) / len(arguments) * 1e6, 1))
    return taken


def agreement(contributions: Contributions | None, theirs: Rows) -> dict[str, float]:
    """Return the share of alerts with the same first feature, and the mean share of the first three that both name."""
    if contributions is None:
        return {}
    ours, theirs = contributions.values, theirs if theirs.ndim == 2 else theirs[:, :, 1]
    return {
        "compared_alerts": len(ours),
        "furthest_sum": float(np.abs(ours.sum(axis=1) - theirs.sum(axis=1)).max()),
        "same_first": round(_shared(ours, theirs, 1), 3),
        "shared_of_first_three": round(_shared(ours, theirs, 3), 3),
    }


def _shared(ours: Rows, theirs: Rows, first: int) -> float:
    tops = [np.argsort(-values, axis=1)[:, :first] for values in (ours, theirs)]
    return float(np.mean([len(set(a) & set(b)) / first for a, b in zip(*tops, strict=True)]))


def table(content: Mapping[str, Any]) -> str:
    """Return a table of the medians of CPU time."""
    head = ("model", "contributions, µs", "reasons, µs", "shap, µs", "same first", "shared of three")
    rows = [
        (
            row["model"],
            *(f"{results.median(row[f'{what}_us']):,.1f}" for what in ("contributions", "reasons")),
            f"{results.median(row['shap_us']):,.0f}" if "shap_us" in row else "-",
            *(f"{row[what]:.1%}" if what in row else "-" for what in ("same_first", "shared_of_first_three")),
        )
        for row in content["results"]
    ]
    return results.table(head, rows)


def main() -> None:
    """Run, print and write ``bench/results/reasons.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    rows = [measure(one, options.turns) for one in cases()]
    content = results.document(
        "bench.reasons", rows, champion=msgspec.to_builtins(champion(MODELS, "", UNSIGNED).reference)
    )
    results.publish("reasons", content, table(content), as_json=options.json)


if __name__ == "__main__":
    main()
