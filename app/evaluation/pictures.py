"""Draws the charts of an evaluation as SVG text."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve

from app.evaluation.drawing import COLOURS, drawing, legend, svg
from app.evaluation.figures import Part
from app.evaluation.importances import Importance
from app.scoring.model import Scores
from app.training.scored_dataset import Flags, ScoredDataset

_POINTS = 400
_BINS = 15
_MOST_FEATURES = 20


class Bins(NamedTuple):
    """Scores in bins of about equal size, the lowest first."""

    means: np.ndarray
    shares: np.ndarray
    """Share of frauds in each bin."""


def pictures(parts: Sequence[Part], important: Sequence[Importance]) -> dict[str, str]:
    """Return SVG texts by title. The same results give the same bytes."""
    drawn = {
        "Precision and recall": _precision_recall(parts),
        "Alert budget": _budget(parts),
        "Calibration": _calibration(parts),
    }
    if important:
        drawn["Feature importances"] = _importances(important[:_MOST_FEATURES])
    return {title: svg(figure) for title, figure in drawn.items()}


def alert_budget(scored: ScoredDataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return alerts a day, precision and recall, from the highest scores down to a tenth of all transactions."""
    order = np.argsort(-scored.scores, kind="stable")
    hits, alerts = np.cumsum(scored.frauds[order]), np.arange(1, len(order) + 1)
    shown = _thinned(max(1, len(order) // 10))
    a_day, precision = alerts / scored.day_count, hits / alerts
    recall = hits / max(1, hits[-1])
    return a_day[shown], precision[shown], recall[shown]


def calibration(scores: Scores, frauds: Flags) -> Bins:
    """Return quantile bins, half of them in the highest 1 % of the scores, since most scores are close to 0."""
    ranked = np.argsort(scores, kind="stable")
    tail = len(ranked) * 99 // 100
    cuts = [*np.linspace(0, tail, _BINS // 2 + 1)[:-1], *np.linspace(tail, len(ranked), _BINS // 2 + 1)]
    cuts_at = np.unique(np.array(cuts, dtype=np.int64))
    bins = [ranked[low:high] for low, high in pairwise(cuts_at)]
    return Bins(np.array([scores[b].mean() for b in bins]), np.array([frauds[b].mean() for b in bins]))


def _precision_recall(parts: Sequence[Part]) -> Figure:
    figure, axes = drawing("recall: share of frauds found", "precision: share of frauds among those found")
    for (name, scored, _), colour in zip(parts, _colours(parts), strict=True):
        if scored.frauds.any():
            precision, recall, _ = precision_recall_curve(scored.frauds, scored.scores)
            shown = _thinned(len(recall), even=True)
            axes.plot(recall[shown], precision[shown], color=colour, label=name)
    axes.set_ylim(0, 1.02)
    legend(axes)
    return figure


def _budget(parts: Sequence[Part]) -> Figure:
    figure, axes = drawing("alerts a day", "solid: precision, dashed: recall")
    for (name, scored, _), colour in zip(parts, _colours(parts), strict=True):
        a_day, precision, recall = alert_budget(scored)
        axes.plot(a_day, precision, color=colour, label=name)
        axes.plot(a_day, recall, "--", color=colour)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.6g}")
    axes.set_ylim(0, 1.02)
    legend(axes)
    return figure


def _calibration(parts: Sequence[Part]) -> Figure:
    figure, axes = drawing("mean score", "share of frauds")
    for (name, scored, _), colour in zip(parts, _colours(parts), strict=True):
        bins = calibration(scored.scores, scored.frauds)
        axes.plot(bins.means, bins.shares, "o-", color=colour, label=name)
    axes.plot([1e-4, 1], [1e-4, 1], ":", color="#8C8C8C")
    axes.set_xscale("symlog", linthresh=1e-3)
    axes.set_yscale("symlog", linthresh=1e-3)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    legend(axes)
    return figure


def _importances(important: Sequence[Importance]) -> Figure:
    figure, axes = drawing("loss of average precision when the values of the feature are permuted", "")
    axes.barh([one.feature for one in important], [one.loss for one in important], color=COLOURS[0])
    axes.invert_yaxis()
    return figure


def _colours(parts: Sequence[Part]) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(len(parts))]


def _thinned(count: int, *, even: bool = False) -> np.ndarray:
    """Return at most _POINTS indexes below ``count``, evenly or logarithmically spaced."""
    spaced = np.linspace(0, count - 1, _POINTS) if even else np.geomspace(1, count, _POINTS) - 1
    return np.unique(spaced.astype(np.int64))
