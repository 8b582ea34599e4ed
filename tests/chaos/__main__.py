"""Scenarios of faults on three brokers: ``python -m tests.chaos [SCENARIO...] [--seed S] [--repeat N] [--json]``.

Each run is checked against an independent fold of its source log. Its figures, seed and timeline are written to
``tests/chaos/results/SCENARIO.json``. Exit code 1 when a run was not as declared.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from tests.chaos import scenarios
from tests.chaos.cluster import Cluster
from tests.chaos.lab import isolation
from tests.chaos.lab import scenarios as lab_scenarios
from tests.chaos.lab.lab_scenario import LAB_SCENARIOS
from tests.chaos.result_files import LAB_RESULTS, RESULTS, Runs, write
from tests.chaos.scenario import SCENARIOS, Result, carry_out
from tests.support.bundle import write_models

ENDURANCE = "endurance"
"""Not part of a full run: ten runs of it take an hour."""


def main() -> int:
    """Run the selected scenarios one after the other, each on its own brokers."""
    quieten()
    given = _arguments()
    if given.list:
        known = [(one.name, one.declared) for one in SCENARIOS.values()]
        for name, declared in [*known, *((one.name, one.declared) for one in LAB_SCENARIOS.values())]:
            print(f"{name:33} {declared}")  # noqa: T201
        return 0
    if given.lab and (reason := isolation.missing()):
        print(f"skipped: {reason}")  # noqa: T201
        return 0
    passed = True
    for results in _in_lab(given) if given.lab else _on_this_host(given):
        passed = passed and all(result.passed for result in results)
        if not given.no_file:
            folder = LAB_RESULTS if given.lab else RESULTS
            _publish(folder / f"{results[0].scenario}.json", results, add=given.add)
        if given.json:
            print(msgspec.json.format(msgspec.json.encode(results)).decode())  # noqa: T201
    return 0 if passed else 1


def _on_this_host(given: argparse.Namespace) -> Iterator[list[Result]]:
    """Play all runs of each scenario, each run on its own brokers."""
    for name in given.scenarios or [name for name in SCENARIOS if name != ENDURANCE]:
        yield [
            play(name, given.seed + number, given.scale, given.app, quiet=given.json)
            for number in range(given.repeat)
        ]


def _in_lab(given: argparse.Namespace) -> Iterator[list[Result]]:
    """Play all runs of each scenario between machines, all on the same brokers."""
    names = given.scenarios or list(LAB_SCENARIOS)
    seeds = range(given.seed, given.seed + given.repeat)
    jobs = [isolation.Job(name, seed, given.app) for name in names for seed in seeds]
    played = isolation.play(jobs, given.scale, given.keep)
    for _ in names:
        yield [_shown(result, quiet=given.json) for result in islice(played, given.repeat)]


def _shown(result: Result, *, quiet: bool) -> Result:
    if not quiet:
        _print(result)
    return result


def quieten() -> None:
    """Silence the clients' warnings about dead brokers, which would fill the console."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "scenarios", nargs="*", metavar="SCENARIO", help=f"all but {ENDURANCE} when none is named"
    )
    parser.add_argument("--list", action="store_true", help="the scenarios and what is declared of each")
    parser.add_argument(
        "--lab", action="store_true", help="the scenarios between machines, in network namespaces; needs root"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="with --lab: keep all logs in this directory"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=1, help="number of runs, each with the next seed")
    parser.add_argument("--scale", type=float, default=1.0, help="factor for durations and events")
    parser.add_argument("--app", default="app.worker", help="the Faust app that the workers run")
    parser.add_argument("--json", action="store_true", help="print the results instead of a line each")
    parser.add_argument("--add", action="store_true", help="append to the runs of an existing result file")
    parser.add_argument("--no-file", action="store_true", help="leave the result files as they are")
    given = parser.parse_args()
    for name in given.scenarios:
        if name not in (LAB_SCENARIOS if given.lab else SCENARIOS):
            parser.error(f"unknown scenario {name}; --list shows all")
    return given


def play(name: str, seed: int, scale: float, app: str, *, quiet: bool = False) -> Result:
    """Run one scenario on three new brokers."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        directory = Path(folder)
        write_models(directory / "models")
        cluster = Cluster(directory / "cluster")
        try:
            playing = carry_out(
                SCENARIOS[name], cluster, directory, directory / "models", seed=seed, scale=scale, app=app
            )
            result = asyncio.run(playing)
        finally:
            cluster.stop()
    return _shown(result, quiet=quiet)


def _print(result: Result) -> None:
    figures = msgspec.structs.asdict(result.figures)
    shown = ", ".join(f"{name} {value}" for name, value in figures.items() if value)
    verdict = "as declared" if result.passed else "NOT AS DECLARED"
    print(f"{result.scenario} of {result.workers}, seed {result.seed}: {verdict}; {shown}")  # noqa: T201
    print(  # noqa: T201
        f"    kills {result.kills}, restarts {result.restarts}, recovery {result.recovery_seconds} s, "
        f"pause {result.longest_pause_seconds} s, p99 {result.p99_ms} ms"
    )
    for moment in result.timeline:
        print(f"    {moment.seconds:8.2f} {moment.what}")  # noqa: T201
    sys.stdout.flush()


def _publish(file: Path, results: list[Result], *, add: bool) -> None:
    runs = Runs(f"python -m tests.chaos {' '.join(sys.argv[1:])}", results)
    if add and file.exists():
        before = msgspec.json.decode(file.read_bytes(), type=Runs)
        runs = Runs(f"{before.command}; {runs.command}", before.runs + results)
    write(file, runs)


assert scenarios.__all__  # the import registers all scenarios
assert lab_scenarios.__all__

if __name__ == "__main__":
    sys.exit(main())
