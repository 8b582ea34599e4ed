"""The pictures of docs/performance.md: each function turns a result file into a figure, or None without data.

The colours are those of Okabe and Ito, which colour-blind readers can distinguish.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from bench.harness.results import median

Result = Mapping[str, Any]
Picture = Callable[[Result], Figure | None]

COLOURS = {
    "ours": "#0072B2",
    "naive_faust": "#E69F00",
    "quix": "#009E73",
    "pandas": "#D55E00",
    "echo": "#8C8C8C",
}
OTHER_COLOUR = "#CC79A7"
MIB = 1024 * 1024
PERCENTILES = ("p50", "p99", "p999", "max")


def throughput(content: Result) -> Figure | None:
    """Draw bars of events per second, with a dot for each turn."""
    rows = content["results"]
    labels = [f"{row['contestant']}, {_workers(row['workers'])}" for row in rows]
    return _bars(rows, labels, "events_per_s", "events/s from a backlog")


def batch(content: Result) -> Figure | None:
    """Like ``throughput``, for the batch commands."""
    rows = content["results"]
    labels = [f"{row['work']}, {row['contestant']}" for row in rows]
    return _bars(rows, labels, "events_per_s", "events/s of the whole process")


def recovery(content: Result) -> Figure | None:
    """Draw bars of seconds, one per measured case."""
    rows = [row for row in content["results"] if _turns(row.get("seconds"))]
    return _bars(rows, list(map(_named, rows)), "seconds", "seconds") if rows else None


def stages(content: Result) -> Figure | None:
    """Draw the time per stage of a worker."""
    found = [row for row in content["results"] if row.get("stage_us_per_event") and row["workers"] == 1]
    if not found:
        return None
    times = {stage: median(turns) for stage, turns in found[0]["stage_us_per_event"].items()}
    figure, axes = _figure(len(times))
    bars = axes.barh(list(times), list(times.values()), color=COLOURS["ours"])
    axes.bar_label(bars, fmt="{:,.1f}", padding=4)
    axes.invert_yaxis()
    axes.set_xlabel("µs per event; send and changelog wait beside the computing of other chunks")
    return figure


def latency(content: Result) -> Figure | None:
    """Draw percentiles per rate on a logarithmic scale."""
    rows = [row for row in content["results"] if row.get("latency_ms")]
    rates = sorted({row["rate"] for row in rows})
    if not rates:
        return None
    figure, every = _side_by_side(len(rates), "ms from intended send to alert")
    for axes, rate in zip(every, rates, strict=True):
        _percentiles(axes, [row for row in rows if row["rate"] == rate])
        axes.set_title(f"{rate:,} events/s", fontsize=10)
    every[0].legend(frameon=False)
    return figure


def memory(content: Result) -> Figure | None:
    """Draw resident memory over the steady phase."""
    rows = [row for row in content["results"] if row.get("steady")]
    if not rows:
        return None
    figure, axes = _figure(5)
    for row in rows:
        seconds, sizes = zip(*row["steady"]["rss_bytes"], strict=True)
        label = f"{row['customers']:,} customers, {row['steady']['rate']:,.0f} events/s"
        axes.plot(seconds, [size / MIB for size in sizes], color=COLOURS["ours"], label=label)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("seconds")
    axes.set_ylabel("resident MiB")
    axes.legend(frameon=False)
    return figure


def growth(content: Result) -> Figure | None:
    """Draw the cost of an event as one factor grows; a horizontal line means no growth."""
    rows = content["results"]
    varied = list(dict.fromkeys(row["vary"] for row in rows))
    if not varied:
        return None
    figure, every = _side_by_side(len(varied), "µs per event")
    for axes, factor in zip(every, varied, strict=True):
        _costs(axes, [row for row in rows if row["vary"] == factor])
        axes.set_xlabel(factor.replace("_", " "))
    every[0].set_ylim(bottom=0)
    every[0].legend(frameon=False)
    return figure


PICTURES: Mapping[str, tuple[str, Picture]] = {
    "throughput": ("throughput", throughput),
    "stages": ("throughput", stages),
    "latency": ("latency", latency),
    "recovery": ("recovery", recovery),
    "memory": ("memory", memory),
    "growth": ("growth", growth),
    "batch": ("batch", batch),
}
"""By the suffix of the picture's file name: the result file and the function that draws it."""


def _figure(lines: int) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.5, 0.9 + 0.42 * max(lines, 3)), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _side_by_side(count: int, label: str) -> tuple[Figure, Sequence[Axes]]:
    """Create small multiples with a common vertical axis and its ``label``."""
    figure = Figure(figsize=(3.3 * count + 0.8, 3.5), layout="constrained")
    every = figure.subplots(1, count, sharey=True, squeeze=False)[0]
    every[0].set_ylabel(label)
    return figure, every


def _bars(rows: Sequence[Result], labels: Sequence[str], key: str, unit: str) -> Figure:
    figure, axes = _figure(len(rows))
    medians = [median(row[key]) for row in rows]
    colours = [COLOURS.get(row.get("contestant", "ours"), OTHER_COLOUR) for row in rows]
    axes.barh(range(len(rows)), medians, color=colours, height=0.7)
    for index, (row, middle) in enumerate(zip(rows, medians, strict=True)):
        axes.plot(row[key], [index] * len(row[key]), "o", color="black", mec="white", markersize=5)
        text = f"{middle:,.0f}" if middle >= 100 else f"{middle:,.1f}"
        axes.annotate(text, (max(row[key]), index), (6, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(rows)), labels)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter("{x:,.6g}")
    axes.set_xlabel(f"{unit}; bar: median, dots: turns")
    return figure


def _percentiles(axes: Axes, rows: Sequence[Result]) -> None:
    for row in rows:
        values = [row["latency_ms"][name] for name in PERCENTILES]
        colour = COLOURS.get(row["contestant"], OTHER_COLOUR)
        axes.plot(range(len(values)), values, "o-", color=colour, label=row["contestant"])
    axes.set_xticks(range(len(PERCENTILES)), ["p50", "p99", "p99.9", "max"])
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:,.6g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _costs(axes: Axes, rows: Sequence[Result]) -> None:
    values = [row["value"] for row in rows]
    elapsed = [1e6 / median(row["events_per_s"]) for row in rows]
    axes.plot(values, elapsed, "o-", color=COLOURS["ours"], label="elapsed")
    cpu = [median(row["cpu_seconds_per_million"]) for row in rows]
    axes.plot(values, cpu, "s--", color=COLOURS["pandas"], label="of a core")
    axes.set_xscale("log")
    axes.set_xticks(values, [f"{value:,}" for value in values], minor=False)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _named(row: Result) -> str:
    """Label a row by its texts and integers."""
    return ", ".join(
        f"{value:,} {name}" if isinstance(value, int) else value
        for name, value in row.items()
        if isinstance(value, int | str) and not isinstance(value, bool)
    )


def _turns(values: Any) -> bool:
    return isinstance(values, list) and bool(values)


def _workers(number: int) -> str:
    return f"{number} worker" if number == 1 else f"{number} workers"
