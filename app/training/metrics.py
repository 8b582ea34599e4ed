"""The figures of a model, as pure functions of scores and labels; docs/models/evaluation.md has formulas and sources."""

import msgspec
import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from app.domain.decision import Thresholds
from app.scoring import card_precision as cards
from app.scoring.model import Scores
from app.training.scored_dataset import Flags, ScoredDataset


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """Cost and benefit of an alert."""

    review_cost_minor: float = 500
    """Cost of one alert that a person reviews, in minor units."""
    recovered_share: float = 0.8
    """Share of a fraud's amount that is recovered by an alert."""


class AtThreshold(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of alerts from one threshold; None for a ratio whose denominator is 0."""

    threshold: float
    alerts: int
    alerts_per_day: float
    precision: float | None
    recall: float | None
    false_positive_rate: float | None
    amount_caught_minor: int
    """Sum of the amounts of the frauds among the alerts."""
    money_saved_minor: float
    """recovered_share * amount_caught_minor - review_cost_minor * alerts."""


class ByPattern(msgspec.Struct, frozen=True, kw_only=True):
    """The frauds of one pattern."""

    pattern: str
    frauds: int
    auc_roc: float | None
    """AUC ROC of these frauds against all legitimate transactions."""
    review_recall: float
    decline_recall: float


def auc_roc(scores: Scores, frauds: Flags) -> float | None:
    """Return the probability that a fraud scores above a legitimate transaction, ties counted half; None without both."""
    return float(roc_auc_score(frauds, scores)) if 0 < frauds.sum() < len(frauds) else None


def average_precision(scores: Scores, frauds: Flags) -> float | None:
    """Return the mean of the precisions at each fraud, in order of score; None without both kinds."""
    return float(average_precision_score(frauds, scores)) if 0 < frauds.sum() < len(frauds) else None


def brier(scores: Scores, frauds: Flags) -> float | None:
    """Return the mean squared difference of score and label (Brier score); 0 is best. None without transactions."""
    return float(np.mean((scores - frauds) ** 2)) if len(scores) else None


def card_precision(scored: ScoredDataset, k: int) -> float | None:
    """Return the daily share of defrauded customers among the ``k`` with the highest scores; None without transactions."""
    ranked = cards.card_days(scored.days, scored.customers, scored.scores, scored.frauds)
    return cards.card_precision(ranked, k)


def at_threshold(scored: ScoredDataset, threshold: float, costs: Costs) -> AtThreshold:
    """Return the figures of alerts from ``threshold``."""
    alerted, frauds = scored.scores >= threshold, scored.frauds
    alerts, all_frauds = int(alerted.sum()), int(frauds.sum())
    caught = alerted & frauds
    hits, amount = int(caught.sum()), int(scored.amounts_minor[caught].sum())
    return AtThreshold(
        threshold=threshold,
        alerts=alerts,
        alerts_per_day=_share(alerts, scored.day_count) or 0.0,
        precision=_share(hits, alerts),
        recall=_share(hits, all_frauds),
        false_positive_rate=_share(alerts - hits, len(scored) - all_frauds),
        amount_caught_minor=amount,
        money_saved_minor=costs.recovered_share * amount - costs.review_cost_minor * alerts,
    )


def by_pattern(scored: ScoredDataset, thresholds: Thresholds) -> list[ByPattern]:
    """Return the figures of every fraud pattern, ordered by name."""
    found = []
    for code in sorted(
        np.unique(scored.patterns[scored.frauds]), key=lambda code: scored.pattern_names[code]
    ):
        chosen = scored.frauds & (scored.patterns == code)
        scores, among = scored.scores[chosen], chosen | ~scored.frauds
        found.append(
            ByPattern(
                pattern=scored.pattern_names[code],
                frauds=len(scores),
                auc_roc=auc_roc(scored.scores[among], scored.frauds[among]),
                review_recall=float(np.mean(scores >= thresholds.review)),
                decline_recall=float(np.mean(scores >= thresholds.decline)),
            )
        )
    return found


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
