"""Draws Grafana dashboards from their JSON and the series of a Prometheus, in the layout of their grid.

It is matplotlib's drawing, not Grafana's: the panels, queries, legends, units and fixed colours are those of the JSON.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter

COLUMNS = 24
INCHES_PER_COLUMN, INCHES_PER_ROW = 0.62, 0.36
DPI = 80
MOST_IN_LEGEND = 8
_LABEL = re.compile(r"\{\{(\w+)\}\}")
_UNITS: Mapping[str, Any] = {
    "s": EngFormatter("s"),
    "bytes": EngFormatter("B"),
    "percentunit": FuncFormatter(
        lambda share, _: f"{share:.3g}".rstrip("0") if share > 1 else f"{share:.1%}"
    ),
}
_PLAIN = FuncFormatter(lambda value, _: f"{value:,.4g}")


class Series(NamedTuple):
    """One line of a panel."""

    name: str
    seconds: np.ndarray
    values: np.ndarray


Query = Callable[[str], Sequence[Mapping[str, Any]]]
"""Returns the result of a range query: each series with ``metric`` and ``values``."""


def draw(dashboard: Mapping[str, Any], query: Query) -> Figure:
    """Return a dashboard as a figure."""
    panels = dashboard["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    size = COLUMNS * INCHES_PER_COLUMN, rows * INCHES_PER_ROW + 0.4
    figure = Figure(figsize=size, dpi=DPI, facecolor="white")
    figure.suptitle(dashboard["title"], x=0.01, y=0.998, ha="left", va="top", fontsize=13, weight="bold")
    for panel in panels:
        _panel(figure.add_axes(_place(panel["gridPos"], rows, size[1])), panel, query)
    return figure


def _place(grid: Mapping[str, int], rows: int, height: float) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of the axes, as shares of the figure, with room for title, ticks and legend."""
    row = INCHES_PER_ROW / height
    left, width = grid["x"] / COLUMNS, grid["w"] / COLUMNS
    bottom = (rows - grid["y"] - grid["h"]) * row
    return left + 0.035, bottom + 1.9 * row, width - 0.045, (grid["h"] - 3.2) * row


def _panel(axes: Axes, panel: Mapping[str, Any], query: Query) -> None:
    axes.set_title(panel["title"], loc="left", fontsize=9, weight="bold")
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, alpha=0.25)
    series = [each for target in panel["targets"] for each in found(target, query)]
    if not any(np.isfinite(each.values).any() for each in series):
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", color="#868E96", fontsize=9)
        axes.set(xticks=[], yticks=[])
        return
    (_heatmap if panel["type"] == "heatmap" else _lines)(axes, panel, series)
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%H:%M:%S", tz=UTC))
    axes.xaxis.set_major_locator(mdates.AutoDateLocator(maxticks=5))


def _lines(axes: Axes, panel: Mapping[str, Any], series: Sequence[Series]) -> None:
    colours = fixed_colours(panel)
    for number, each in enumerate(series):
        axes.plot(
            _times(each.seconds),
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
    axes.legend(
        handles[shown],
        names[shown],
        fontsize=6.5,
        frameon=False,
        ncols=4,
        loc="upper left",
        bbox_to_anchor=(-0.02, -0.1),
    )


def _heatmap(axes: Axes, _: Mapping[str, Any], series: Sequence[Series]) -> None:
    """Buckets of Prometheus are cumulative: each row is the difference to the one below."""
    ordered = sorted(series, key=lambda each: float(each.name))
    counts = np.diff(np.nan_to_num([each.values for each in ordered]), axis=0, prepend=0)
    times = mdates.date2num(_times(ordered[0].seconds))
    axes.pcolormesh(
        times, range(len(ordered)), np.log1p(np.maximum(counts, 0)), cmap="Oranges", shading="nearest"
    )
    axes.set_yticks(range(0, len(ordered), 4), [ordered[row].name for row in range(0, len(ordered), 4)])
    axes.xaxis_date(tz=UTC)


def found(target: Mapping[str, Any], query: Query) -> list[Series]:
    """Return the series of a target with the names of its legend, on common times."""
    answers = [
        (_named(target["legendFormat"], each["metric"]), dict(each["values"]))
        for each in query(target["expr"])
    ]
    times = sorted({time for _, values in answers for time in values})
    return [
        Series(name, np.array(times), np.array([float(values.get(time, "nan")) for time in times]))
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


def _times(seconds: np.ndarray) -> list[datetime]:
    return [datetime.fromtimestamp(second, UTC) for second in seconds]


def read(text: str) -> Mapping[str, Any]:
    """Return a dashboard from its JSON."""
    dashboard: Mapping[str, Any] = json.loads(text)
    return dashboard
