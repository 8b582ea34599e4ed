"""Draws Grafana dashboards from their JSON and the series of a Prometheus, in the layout of their grid.

It is matplotlib's drawing, not Grafana's: the panels, queries, legends, units and fixed colours are those of the JSON.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter

COLUMNS = 24
INCHES_PER_COLUMN, INCHES_PER_ROW = 0.62, 0.36
DPI = 80
MOST_IN_LEGEND = 8
LEGEND_CHARS = 290
"""Characters of a legend in the width of the figure."""
_LABEL = re.compile(r"\{\{(\w+)\}\}")
_UNITS: Mapping[str, Any] = {
    "s": EngFormatter("s"),
    "bytes": EngFormatter("B"),
    "percentunit": FuncFormatter(
        lambda share, _: f"{share:.3g}".rstrip("0") if share > 1 else f"{share:.1%}"
    ),
}
_MINUTES = FuncFormatter(lambda second, _: f"{int(second // 60)}:{int(second % 60):02}")
_PLAIN = FuncFormatter(lambda value, _: f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}")


class Series(NamedTuple):
    """One line of a panel."""

    name: str
    seconds: np.ndarray
    """Since the begin of what is drawn."""
    values: np.ndarray


Query = Callable[[str], Sequence[Mapping[str, Any]]]
"""Returns the result of a range query: each series with ``metric`` and ``values``."""


def draw(dashboard: Mapping[str, Any], query: Query, begin: float = 0.0) -> Figure:
    """Return a dashboard as a figure. Its times are minutes since ``begin``, in seconds since the epoch."""
    panels = dashboard["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    size = COLUMNS * INCHES_PER_COLUMN, rows * INCHES_PER_ROW + 0.4
    figure = Figure(figsize=size, dpi=DPI, facecolor="white")
    figure.suptitle(dashboard["title"], x=0.01, y=0.998, ha="left", va="top", fontsize=13, weight="bold")
    for panel in panels:
        _panel(figure.add_axes(_place(panel["gridPos"], rows, size[1])), panel, query, begin)
    return figure


def _place(grid: Mapping[str, int], rows: int, height: float) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of the axes, as shares of the figure, with room for title, ticks and legend."""
    row = INCHES_PER_ROW / height
    left, width = grid["x"] / COLUMNS, grid["w"] / COLUMNS
    bottom = (rows - grid["y"] - grid["h"]) * row
    return left + 0.035, bottom + 1.9 * row, width - 0.045, (grid["h"] - 3.2) * row


def _panel(axes: Axes, panel: Mapping[str, Any], query: Query, begin: float) -> None:
    axes.set_title(panel["title"], loc="left", fontsize=9, weight="bold")
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, alpha=0.25)
    series = [each for target in panel["targets"] for each in found(target, query, begin)]
    if not any(np.isfinite(each.values).any() for each in series):
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", color="#868E96", fontsize=9)
        axes.set(xticks=[], yticks=[])
        return
    (_heatmap if panel["type"] == "heatmap" else _lines)(axes, panel, series)
    axes.xaxis.set_major_formatter(_MINUTES)


def _lines(axes: Axes, panel: Mapping[str, Any], series: Sequence[Series]) -> None:
    colours = fixed_colours(panel)
    for number, each in enumerate(series):
        axes.plot(
            each.seconds,
            each.values,
            color=colours.get(each.name, f"C{number % 10}"),
            label=each.name,
            lw=1.2,
        )
    defaults = panel["fieldConfig"]["defaults"]
    axes.yaxis.set_major_formatter(_UNITS.get(defaults.get("unit", ""), _PLAIN))
    axes.set_ylim(bottom=defaults.get("min"))
    handles, names = axes.get_legend_handles_labels()
    shown = slice(MOST_IN_LEGEND)
    longest = max((len(name) for name in names[shown]), default=0) + 5
    columns = max(1, min(4, round(axes.get_position().width * LEGEND_CHARS / longest)))
    axes.legend(
        handles[shown],
        names[shown],
        fontsize=6.5,
        frameon=False,
        ncols=columns,
        loc="upper left",
        bbox_to_anchor=(-0.02, -0.1),
    )


def _heatmap(axes: Axes, _: Mapping[str, Any], series: Sequence[Series]) -> None:
    """Buckets of Prometheus are cumulative: each row is the difference to the one below."""
    ordered = sorted(series, key=lambda each: float(each.name))
    counts = np.diff(np.nan_to_num([each.values for each in ordered]), axis=0, prepend=0)
    axes.pcolormesh(
        ordered[0].seconds,
        range(len(ordered)),
        np.log1p(np.maximum(counts, 0)),
        cmap="Oranges",
        shading="nearest",
    )
    axes.set_yticks(range(0, len(ordered), 4), [ordered[row].name for row in range(0, len(ordered), 4)])


def found(target: Mapping[str, Any], query: Query, begin: float = 0.0) -> list[Series]:
    """Return the series of a target with the names of its legend, on common times since ``begin``."""
    answers = [
        (_named(target["legendFormat"], each["metric"]), dict(each["values"]))
        for each in query(target["expr"])
    ]
    times = sorted({time for _, values in answers for time in values})
    return [
        Series(name, np.array(times) - begin, np.array([float(values.get(time, "nan")) for time in times]))
        for name, values in answers
    ]


def fixed_colours(panel: Mapping[str, Any]) -> dict[str, str]:
    """Return the colours that a panel fixes, by the names of its legend."""
    return {
        rule["matcher"]["options"]: fixed["value"]["fixedColor"]
        for rule in panel["fieldConfig"]["overrides"]
        for fixed in rule["properties"]
        if fixed["id"] == "color"
    }


def _named(legend: str, labels: Mapping[str, str]) -> str:
    return _LABEL.sub(lambda label: labels.get(label[1], ""), legend)


def read(text: str) -> Mapping[str, Any]:
    """Return a dashboard from its JSON."""
    dashboard: Mapping[str, Any] = json.loads(text)
    return dashboard
