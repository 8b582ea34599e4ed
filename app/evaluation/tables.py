"""Formats an evaluation as tables, for the console and for the report."""

from collections.abc import Iterator, Sequence

from app.evaluation.figures import Part, deviations, means
from app.evaluation.text_table import TextTable
from app.training.metrics import AtThreshold

_RANKING = ("auc_roc", "average_precision", "card_precision", "brier")


def tables(parts: Sequence[Part], top_k: int) -> Iterator[TextTable]:
    """Yield the tables of ranking, outcomes and patterns: one row per part, and the mean of several parts."""
    head = ["", "days", "transactions", "frauds", "AUC ROC", "AP", f"CP@{top_k}", "Brier"]
    rows = [_ranking(part) for part in parts]
    if len(parts) > 1:
        for name, values in (("mean", means(parts)), ("deviation", deviations(parts))):
            rows.append([name, "", "", "", *(number(values[figure]) for figure in _RANKING)])
    yield TextTable(f"Ranking (AP: average precision, CP@{top_k}: card precision)", head, rows)
    yield TextTable(
        "Outcomes (review includes declined; money in minor units)",
        ["", *_OUTCOME_HEAD],
        [row for part in parts for row in _outcomes(part)],
    )
    patterns = [row for part in parts for row in _patterns(part)]
    if patterns:
        head = ["", "pattern", "frauds", "AUC ROC", "recall, review", "decline"]
        yield TextTable("Frauds by pattern", head, patterns)


_OUTCOME_HEAD = ("outcome", "from", "alerts/day", "precision", "recall", "false pos.", "caught", "saved")


def number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"


def _ranking(part: Part) -> list[str]:
    values = [number(getattr(part.figures, name)) for name in _RANKING]
    days = f"{part.figures.first_day} to {part.figures.last_day}"
    return [part.name, days, f"{part.figures.rows:,}", f"{part.figures.frauds:,}", *values]


def _outcomes(part: Part) -> Iterator[list[str]]:
    yield [part.name, "review", *_outcome(part.figures.review)]
    yield [part.name, "decline", *_outcome(part.figures.decline)]


def _outcome(at: AtThreshold) -> list[str]:
    return [
        f"{at.threshold:.4g}",
        f"{at.alerts_per_day:,.1f}",
        number(at.precision),
        number(at.recall),
        number(at.false_positive_rate),
        f"{at.amount_caught_minor:,}",
        f"{at.money_saved_minor:,.0f}",
    ]


def _patterns(part: Part) -> Iterator[list[str]]:
    for one in part.figures.patterns:
        recalls = [number(one.review_recall), number(one.decline_recall)]
        yield [part.name, one.pattern, f"{one.frauds:,}", number(one.auc_roc), *recalls]
