"""Schedules of crashes between any two steps of the hot path: ``python -m tests.simulation --schedules 100000``.

Writes ``tests/simulation/results.json``; exit code 1 with the schedule when one is broken.
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
    """What was played."""

    command: str
    first_seed: int
    schedules: int
    steps: int = 0
    deaths: int = 0
    """Of the partition's owner: killed, or ended by a send that failed."""
    zombies: int = 0
    """Paused past their session, woken after another had taken over."""
    broken: int = 0
    seconds: float = 0.0


BLOCK = 500
"""Schedules that a process plays in a row."""


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first schedule")
    parser.add_argument("--processes", type=int, default=1, help="that share the schedules")
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
    """Play every schedule, the first broken one ends it."""
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
