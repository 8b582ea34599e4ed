"""The gate before a promotion: a candidate that is worse than the champion is refused, with a reason."""

import msgspec
import numpy as np

from app.adapters.models.bundles import Bundle
from app.domain.control import model_id
from app.features.window import DAY_MS
from app.model_comparison.intervals import CONFIDENCE, Compared, Draws, compare_figures
from app.model_comparison.paired import Alerts, Paired, alerts
from app.model_comparison.replay import DELAY_DAYS
from app.rendering.decision_text import event_time


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Result of the comparison on the replayed weeks."""

    champion: str
    candidate: str
    transactions: int
    frauds: int
    days: int
    budget: int
    margin: float
    figures: dict[str, Compared]
    alerts: Alerts
    refusals: list[str]
    """Reasons against the promotion; empty if the candidate passes."""
    warnings: list[str]

    @property
    def passed(self) -> bool:
        return not self.refusals


def compare_models(
    paired: Paired, champion: Bundle, candidate: Bundle, draws: Draws, margin: float
) -> Verdict:
    """Compare two models on the replayed weeks.

    The candidate passes if its card precision at the budget is, with 95 % confidence, at most ``margin`` below that of the
    champion: a test of non-inferiority, because few frauds rarely prove a candidate to be better.
    """
    figures = compare_figures(paired, draws)
    return Verdict(
        champion=model_id(champion.reference),
        candidate=model_id(candidate.reference),
        transactions=len(paired),
        frauds=int(paired.labels.sum()),
        days=len(np.unique(paired.days)),
        budget=draws.budget,
        margin=margin,
        figures=figures,
        alerts=alerts(paired, champion.thresholds, candidate.thresholds),
        refusals=[
            *_identity(champion, candidate),
            *_leakage(paired, candidate),
            *_inferiority(figures["card_precision"], paired, draws.budget, margin),
        ],
        warnings=[f"The champion has an advantage: {text}" for text in _leakage(paired, champion)],
    )


def _identity(champion: Bundle, candidate: Bundle) -> list[str]:
    same = champion.reference == candidate.reference
    return [f"{model_id(candidate.reference)} is the champion: name another NAME/VERSION."] if same else []


def _leakage(paired: Paired, model: Bundle) -> list[str]:
    """Return a reason if the model was trained on the tested weeks, or on labels that were not known before them."""
    known_until = int(paired.days.min()) * DAY_MS - DELAY_DAYS * DAY_MS
    last = model.manifest.training.last_event_time
    if last < known_until:
        return []
    text = (
        f"{model_id(model.reference)} was fitted on transactions up to {event_time(last)}, but when the tested weeks begin "
        f"only labels of transactions before {event_time(known_until)} are known. {_remedy(paired, last)}"
    )
    return [text]


def _remedy(paired: Paired, last_fitted_ms: int) -> str:
    """The options with which the weeks are tested on which the model was not fitted, or it is fitted before these."""
    end, first = int(paired.days.max()) + 1, int(paired.days.min())
    weeks = (end - (last_fitted_ms // DAY_MS + 1 + DELAY_DAYS)) // 7
    later = f"Test later days with `--weeks {weeks}`, or train" if weeks > 0 else "Train"
    return f"{later} it on earlier days of this history with `fraudstream train --test-days {end - first}`."


def _inferiority(figure: Compared, paired: Paired, budget: int, margin: float) -> list[str]:
    difference = figure.difference
    if difference.value is None or not paired.labels.any():
        text = "The tested weeks contain no fraud, so the models cannot be compared."
        return [f"{text} Test more of the history with `--weeks`, or give one with labels."]
    low = difference.value if difference.low is None else difference.low
    if low >= -margin:
        return []
    high = difference.value if difference.high is None else difference.high
    text = (
        f"Its card precision@{budget} may be {-low:.4f} lower than the champion's ({CONFIDENCE:.0%} interval from "
        f"{low:+.4f} to {high:+.4f}), allowed is {margin:g}. More frauds make the interval narrower: `--weeks` tests more of the "
        "history; `--margin` allows more."
    )
    return [text]
