"""Who takes part, and how each is started."""

from pathlib import Path
from typing import NamedTuple

from bench.harness.worker_process import BENCH_PYTHON, WORKER_PYTHON

LINGER_MS = "BENCH_LINGER_MS"
"""Environment variable: milliseconds that a contestant's producer waits for company where it sends one record at a
time (naive_faust, quix). More is more throughput, and more latency."""
THROUGHPUT_LINGER_MS = "20"


class Contestant(NamedTuple):
    """``arguments`` follow the Python interpreter; the settings come from the environment."""

    name: str
    arguments: tuple[str, ...]
    backlog_share: float = 1.0
    """Of the events asked for: a rate needs no long backlog where each event takes long."""
    python: Path = WORKER_PYTHON
    scores: bool = True
    """Whether it does the work, so that its decisions must equal ours."""
    one_core: bool = True
    """Whether it is kept on one core where latency is measured."""


ROSTER = {
    contestant.name: contestant
    for contestant in (
        Contestant("ours", ("-m", "faust", "-A", "app.worker", "worker", "-l", "info")),
        Contestant(
            "naive_faust",
            ("-m", "faust", "-A", "bench.contestants.naive_faust", "worker", "-l", "info", "--without-web"),
            backlog_share=1 / 8,
        ),
        Contestant("quix", ("-m", "bench.contestants.quix"), python=BENCH_PYTHON),
        Contestant("echo", ("-m", "bench.contestants.echo"), scores=False),
    )
}


def chosen(names: str) -> list[Contestant]:
    """The contestants of a comma-separated list, in its order. Raises SystemExit naming the known ones."""
    unknown = set(names.split(",")) - ROSTER.keys()
    if unknown:
        raise SystemExit(f"no contestant {', '.join(sorted(unknown))}; there are {', '.join(ROSTER)}")
    return [ROSTER[name] for name in names.split(",")]
