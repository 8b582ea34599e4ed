"""The figures of a model, each a pure function of scores and truth (docs/models/evaluation.md has formulas and sources)."""

import msgspec
import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from app.domain.decision import Thresholds
from app.scoring import card_precision as cards
from app.scoring.model import Scores
from app.training.judged import Flags, Judged


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What an alert costs and what it brings."""

    review_cost_minor: float = 500
    """Of one alert that a person looks at, in the currency's minor unit."""
    recovered_share: float = 0.8
    """Of a fraud's amount, when it is alerted on in time."""


class AtThreshold(msgspec.Struct, frozen=True, kw_only=True):
    """What acting from one score on would have done; None where a share of nothing is asked for."""

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
    """Of these frauds against all legitimate transactions."""
    review_recall: float
    decline_recall: float


def auc_roc(scores: Scores, frauds: Flags) -> float | None:
    """Probability that a fraud scores above a legitimate transaction, ties half; None without both."""
    return float(roc_auc_score(frauds, scores)) if 0 < frauds.sum() < len(frauds) else None


def average_precision(scores: Scores, frauds: Flags) -> float | None:
    """Mean of the precisions at each fraud, in order of score; None without both kinds."""
    return float(average_precision_score(frauds, scores)) if 0 < frauds.sum() < len(frauds) else None


def brier(scores: Scores, frauds: Flags) -> float | None:
    """Mean squared difference of score and truth: 0 is best. Calibration and sharpness in one number."""
    return float(np.mean((scores - frauds) ** 2)) if len(scores) else None


def card_precision(judged: Judged, k: int) -> float | None:
    """Share of defrauded customers among the ``k`` of highest score, day by day; None without transactions."""
    ranked = cards.card_days(judged.days, judged.customers, judged.scores, judged.frauds)
    return cards.card_precision(ranked, k)


def at_threshold(judged: Judged, threshold: float, costs: Costs) -> AtThreshold:
    """What alerts from ``threshold`` on would have caught, and cost."""
    alerted, frauds = judged.scores >= threshold, judged.frauds
    alerts, all_frauds = int(alerted.sum()), int(frauds.sum())
    caught = alerted & frauds
    hits, amount = int(caught.sum()), int(judged.amounts_minor[caught].sum())
    return AtThreshold(
        threshold=threshold,
        alerts=alerts,
        alerts_per_day=_share(alerts, judged.day_count) or 0.0,
        precision=_share(hits, alerts),
        recall=_share(hits, all_frauds),
        false_positive_rate=_share(alerts - hits, len(judged) - all_frauds),
        amount_caught_minor=amount,
        money_saved_minor=costs.recovered_share * amount - costs.review_cost_minor * alerts,
    )


def by_pattern(judged: Judged, thresholds: Thresholds) -> list[ByPattern]:
    """For every pattern that a fraud has, in order of name."""
    found = []
    for code in sorted(
        np.unique(judged.patterns[judged.frauds]), key=lambda code: judged.pattern_names[code]
    ):
        chosen = judged.frauds & (judged.patterns == code)
        scores, among = judged.scores[chosen], chosen | ~judged.frauds
        found.append(
            ByPattern(
                pattern=judged.pattern_names[code],
                frauds=len(scores),
                auc_roc=auc_roc(judged.scores[among], judged.frauds[among]),
                review_recall=float(np.mean(scores >= thresholds.review)),
                decline_recall=float(np.mean(scores >= thresholds.decline)),
            )
        )
    return found


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
