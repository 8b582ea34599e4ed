"""Run schedules of crashes between any two steps of the hot path: ``python -m tests.simulation --schedules 100000``.

Writes ``tests/simulation/results.json``. If a schedule is broken, prints it and returns exit code 1.
"""

import argparse
import multiprocessing
import sys
import time
from pathlib import Path

import msgspec

from tests.simulation.many import play_all
from tests.simulation.world import Broken

RESULT = Path(__file__).with_name("results.json")


class Result(msgspec.Struct, kw_only=True):
    """Counts of a run, written as JSON."""

    command: str
    first_seed: int
    schedules: int
    steps: int = 0
    deaths: int = 0
    """Ends of the partition's owner, by a kill or a failed send."""
    zombies: int = 0
    """Workers that resumed after their session had expired and another worker had taken over."""
    broken: int = 0
    seconds: float = 0.0


BLOCK = 500
"""Schedules per task of a process."""


def main() -> int:
    """Run the schedules, write the result file and print a summary; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="seed of the first schedule")
    parser.add_argument("--processes", type=int, default=1, help="processes that share the schedules")
    parser.add_argument("--json", action="store_true", help="print the result instead of a line")
    given = parser.parse_args()
    command = f"python -m tests.simulation {' '.join(sys.argv[1:])}".strip()
    result = Result(command=command, first_seed=given.seed, schedules=given.schedules)
    try:
        run(result, given.processes, quiet=given.json)
    except Broken as broken:
        print(broken, file=sys.stderr)  # noqa: T201
        return 1
    RESULT.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    print(  # noqa: T201
        RESULT.read_text()
        if given.json
        else f"{result.schedules:,} schedules, {result.deaths:,} deaths, {result.zombies:,} zombies: none broken"
    )
    return 0


def run(result: Result, processes: int, *, quiet: bool) -> None:
    """Play all schedules; the first broken one ends the run. Raises Broken."""
    started = time.monotonic()
    seeds = range(result.first_seed, result.first_seed + result.schedules)
    blocks = [seeds[first : first + BLOCK] for first in range(0, len(seeds), BLOCK)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for block, counts in zip(blocks, pool.imap(play_all, blocks), strict=True):
            result.steps += counts.steps
            result.deaths += counts.deaths
            result.zombies += counts.zombies
            if not quiet and sys.stderr.isatty():
                print(f"\r{block[-1] + 1:,}", end="", file=sys.stderr)  # noqa: T201
    result.seconds = round(time.monotonic() - started, 1)


if __name__ == "__main__":
    sys.exit(main())
