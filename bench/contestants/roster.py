"""The contestants and the commands that start them."""

from pathlib import Path
from typing import NamedTuple

from bench.harness.worker_process import BENCH_PYTHON, WORKER_PYTHON

LINGER_MS = "BENCH_LINGER_MS"
"""Environment variable: producer linger in milliseconds of the contestants that send one record at a time (naive_faust,
quix). A higher value gives more throughput and more latency."""
THROUGHPUT_LINGER_MS = "20"


class Contestant(NamedTuple):
    """``arguments`` follow the Python interpreter; the settings come from the environment."""

    name: str
    arguments: tuple[str, ...]
    backlog_share: float = 1.0
    """Share of the requested events: a slow contestant needs no long backlog to measure its rate."""
    python: Path = WORKER_PYTHON
    scores: bool = True
    """True when it scores, so that its decisions must equal ours."""
    one_core: bool = True
    """True when it is pinned to one core while latency is measured."""


ROSTER = {
    contestant.name: contestant
    for contestant in (
        Contestant("ours", ("-m", "faust", "-A", "app.worker", "worker", "-l", "info")),
        Contestant(
            "naive_faust",
            ("-m", "faust", "-A", "bench.contestants.naive_faust", "worker", "-l", "info", "--without-web"),
            backlog_share=1 / 8,
        ),
        Contestant(
            "without_fence",
            ("-m", "faust", "-A", "bench.contestants.without_fence", "worker", "-l", "info"),
        ),
        Contestant("quix", ("-m", "bench.contestants.quix"), python=BENCH_PYTHON),
        Contestant("echo", ("-m", "bench.contestants.echo"), scores=False),
    )
}


def chosen(names: str) -> list[Contestant]:
    """Return the contestants of a comma-separated list, in its order. Raises SystemExit for an unknown name."""
    unknown = set(names.split(",")) - ROSTER.keys()
    if unknown:
        raise SystemExit(f"no contestant {', '.join(sorted(unknown))}; there are {', '.join(ROSTER)}")
    return [ROSTER[name] for name in names.split(",")]
