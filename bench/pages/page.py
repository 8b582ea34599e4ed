"""The tables of docs/performance.md, generated from the result files: no figure on the page is typed by hand.

``render`` replaces the text between ``<!-- table:NAME -->`` and ``<!-- end -->`` by the table of ``bench/results/NAME.json``.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.harness.results import RESULTS, median
from bench.pages.scale import past_one_machine

Result = Mapping[str, Any]
Rows = Sequence[Sequence[str]]

NOT_MEASURED = "_Not measured yet: there is no result file._"
MEASURED = ("throughput", "everything", "latency", "core", "fence", "recovery", "memory", "growth", "batch")
_PLACE = re.compile(r"(<!-- table:([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
MIB = 1024 * 1024
_PERCENTILES = ("p50", "p99", "p999", "max")


def load(directory: Path = RESULTS) -> dict[str, Result]:
    """Read the present result files, by name."""
    paths = {name: directory / f"{name}.json" for name in MEASURED}
    return {name: json.loads(path.read_bytes()) for name, path in paths.items() if path.exists()}


def render(text: str, made: Mapping[str, str]) -> str:
    """Return the page with its tables replaced."""
    return _PLACE.sub(lambda found: f"{found[1]}{made.get(found[2], NOT_MEASURED)}\n{found[3]}", text)


def tables(found: Mapping[str, Result]) -> dict[str, str]:
    """Return the Markdown tables by the name of their placeholder."""
    made = {name: _document(found[name], _TABLES[name](found[name])) for name in found}
    if "throughput" in found:
        made["stages"] = _stages(found["throughput"])
    if {"throughput", "memory"} <= found.keys():
        made["past-one-machine"] = markdown(("what", "figure", "how"), past_one_machine(found))
    return made


def markdown(head: Sequence[str], rows: Rows) -> str:
    """Return a Markdown table, the first column aligned to the left and the others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Return the median of the turns, with the lowest and the highest value.

    >>> spread([3, 1, 2000])
    '3 (1 to 2,000)'
    """
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return middle if low == high else f"{middle} ({low} to {high})"


def _fence(content: Result) -> str:
    rows = [
        (
            row["measure"],
            spread(row["with"]),
            spread(row["without"]),
            spread([one / other for one, other in zip(row["with"], row["without"], strict=True)], 2),
        )
        for row in content["results"]
    ]
    return markdown(("one worker", "with", "without", "with / without in a turn"), rows)


def _document(content: Result, table: str) -> str:
    machine = content["machine"]
    where = f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}"
    return f"`{content['command']}` on {where}:\n\n{table}"


def _throughput(content: Result) -> str:
    speeds = {(r["contestant"], r["workers"]): median(r["events_per_s"]) for r in content["results"]}
    ours = speeds.get(("ours", 1))
    rows = [
        (
            f"{row['contestant']}, {row['workers']} worker{'s' * (row['workers'] > 1)}",
            spread(row["events_per_s"]),
            f"{ours / speeds[row['contestant'], row['workers']]:.2f}" if ours else "",
            spread(row["cpu_seconds_per_million"], 1),
        )
        for row in content["results"]
    ]
    return markdown(("contestant", "events/s", "ours / it", "CPU s per million events"), rows)


def _stages(content: Result) -> str:
    rows = [
        (stage, spread(values, 1))
        for row in content["results"]
        if row["contestant"] == "ours" and row["workers"] == 1
        for stage, values in row.get("stage_us_per_event", {}).items()
    ]
    return markdown(("stage", "µs per event"), rows) if rows else NOT_MEASURED


def _everything(content: Result) -> str:
    base = median(content["results"][0]["events_per_s"])
    rows = [
        (
            row["what"],
            spread(row["events_per_s"]),
            f"{median(row['events_per_s']) / base:.0%}",
            spread(row["cpu_seconds_per_million"], 1),
            f"{row['alerts']:,}",
        )
        for row in content["results"]
    ]
    return markdown(("one worker", "events/s", "share", "CPU s per million events", "alerts"), rows)


def _latency(content: Result) -> str:
    floor = {
        row["rate"]: row["latency_ms"]["p99"]
        for row in content["results"]
        if row["contestant"] == "echo" and row.get("latency_ms")
    }
    rows = [_latency_cells(row, floor.get(row["rate"])) for row in content["results"]]
    head = ("contestant", "events/s", *(f"{name} ms" for name in _PERCENTILES), "p99 / echo's")
    return markdown(head, rows)


def _latency_cells(row: Result, floor: float | None) -> Sequence[str]:
    found = row.get("latency_ms")
    if not found:
        return (row["contestant"], f"{row['rate']:,}", "not sustained", "", "", "", "")
    figures = (f"{found[name]:,.1f}" for name in _PERCENTILES)
    return (
        row["contestant"],
        f"{row['rate']:,}",
        *figures,
        f"{found['p99'] / floor:.1f}" if floor else "",
    )


def _batch(content: Result) -> str:
    speeds = {(row["work"], row["contestant"]): median(row["events_per_s"]) for row in content["results"]}
    rows = [
        (
            f"{row['work']}, {row['contestant']}",
            f"{row['events']:,}",
            spread(row["events_per_s"]),
            spread(row["seconds"], 1),
            spread([value / 1e6 for value in row["peak_rss_bytes"]]),
            f"{speeds[row['work'], 'ours'] / speeds[row['work'], row['contestant']]:.2f}",
        )
        for row in content["results"]
    ]
    return markdown(("work", "events", "events/s", "seconds", "peak MB", "ours / it"), rows)


def _memory(content: Result) -> str:
    head = ("customers", "events each", "resident MiB", "peak MiB", "disk MiB", "disk bytes per customer")
    rows = [
        (
            f"{row['customers']:,}",
            f"{row['events_per_customer']:,}",
            *(f"{row[name] / MIB:,.0f}" for name in ("rss_bytes", "rss_peak_bytes", "disk_bytes")),
            f"{row['disk_bytes_per_customer']:,.0f}",
        )
        for row in content["results"]
        if "steady" not in row
    ]
    phases = [_steady(row["customers"], row["steady"]) for row in content["results"] if "steady" in row]
    return "\n\n".join([markdown(head, rows), *phases])


def _steady(customers: int, phase: Result) -> str:
    return (
        f"{phase['seconds']:,.0f} s at {phase['rate']:,.0f} events/s with {customers:,} customers: resident memory "
        f"changed by {phase['slope_bytes_per_hour'] / MIB:+,.1f} MiB an hour "
        f"({phase['slope_share_per_hour']:+.2%})."
    )


def _growth(content: Result) -> str:
    head = ("varied", "events/s", "CPU s per million events", "changelog bytes per event", "peak MiB")
    rows = [
        (
            f"{row['value']:,} {row['vary'].replace('_', ' ')}",
            spread(row["events_per_s"]),
            spread(row["cpu_seconds_per_million"], 1),
            f"{row['changelog_bytes_per_event']:,.0f}",
            f"{row['rss_peak_bytes'] / MIB:,.0f}",
        )
        for row in content["results"]
    ]
    return markdown(head, rows)


def _recovery(content: Result) -> str:
    head = ("worker, customers, disk", "start to ready, s", "of it the restore, s", "records/s")
    restarts = [row for row in content["results"] if "seconds" in row]
    rows = [
        (
            f"{row['contestant']}, {row['customers']:,}, {row['disk']}",
            spread(row["seconds"], 1),
            spread(row["restore_seconds"], 1),
            spread(row["records_per_s"]) if any(row["records"]) else "",
        )
        for row in restarts
    ]
    takeovers = [
        f"Takeover after `kill -9`: {spread(row['takeover_seconds'], 1)} s, of which the broker waits "
        f"{content['session_timeout_seconds']:.0f} s for the dead worker."
        for row in content["results"]
        if "takeover_seconds" in row
    ]
    return "\n\n".join([markdown(head, rows), *takeovers])


_TABLES: dict[str, Callable[[Result], str]] = {
    "throughput": _throughput,
    "latency": _latency,
    "core": _latency,
    "fence": _fence,
    "batch": _batch,
    "everything": _everything,
    "recovery": _recovery,
    "memory": _memory,
    "growth": _growth,
}
