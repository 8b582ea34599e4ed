"""The five figures of README.md, made from the result files; `python -m bench.plots` writes them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.harness.results import RESULTS, median
from bench.pages.page import Result, markdown

README = Path(__file__).parents[2] / "README.md"
RATE = 2_000
CUSTOMERS = 1_000_000
NEEDED = ("throughput", "latency", "recovery", "batch", "full_stream")


def load(directory: Path = RESULTS) -> dict[str, Result]:
    """The result files of the figures. Raises FileNotFoundError when one is missing."""
    return {name: json.loads((directory / f"{name}.json").read_bytes()) for name in NEEDED}


def table(found: Mapping[str, Result]) -> str:
    """One row per figure: what, the median, the command that measured it."""
    rows = [_throughput, _latency, _recovery, _batch, _equality]
    return markdown(
        ("what", "figure", "command"), [row(found[name]) for name, row in zip(NEEDED, rows, strict=True)]
    )


def _row(content: Result, **wanted: Any) -> Mapping[str, Any]:
    rows: Sequence[Mapping[str, Any]] = content["results"]
    (found,) = (row for row in rows if all(row.get(name) == value for name, value in wanted.items()))
    return found


def _throughput(content: Result) -> Sequence[str]:
    ours, faust, quix = (
        median(_row(content, contestant=name, workers=1)["events_per_s"])
        for name in ("ours", "naive_faust", "quix")
    )
    return (
        "backlog drained by one worker",
        f"{ours:,.0f} events/s: {ours / faust:.0f} x a careful Faust agent, {ours / quix:.1f} x Quix Streams",
        f"`{content['command']}`",
    )


def _latency(content: Result) -> Sequence[str]:
    ours, echo = (_row(content, contestant=name, rate=RATE)["latency_ms"] for name in ("ours", "echo"))
    return (
        f"intended send to alert received at {RATE:,} events/s, p50 / p99",
        f"{ours['p50']:.0f} / {ours['p99']:.0f} ms; a bare echo {echo['p50']:.0f} / {echo['p99']:.0f} ms",
        f"`{content['command']}`",
    )


def _recovery(content: Result) -> Sequence[str]:
    row = _row(content, contestant="ours", customers=CUSTOMERS, disk="empty")
    return (
        f"start to ready on an empty disk with {CUSTOMERS:,} profiles",
        f"{median(row['seconds']):.1f} s, {median(row['restore_seconds']):.1f} s of it the restore",
        f"`{content['command']}`",
    )


def _batch(content: Result) -> Sequence[str]:
    ours, pandas = (
        median(_row(content, contestant=name, work="score")["events_per_s"]) for name in ("ours", "pandas")
    )
    return (
        "`fraudstream score` on a file of 1.5 million rows",
        f"{ours:,.0f} events/s: {ours / pandas:.1f} x pandas",
        f"`{content['command']}`",
    )


def _equality(content: Result) -> Sequence[str]:
    counts = content["results"]
    return (
        "decisions of the stream equal to the batch, bit for bit",
        f"{counts['decisions']:,} of {counts['transactions']:,}",
        f"`{content['command']}`",
    )
