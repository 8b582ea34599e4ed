"""Scenarios of faults on three brokers: ``python -m tests.chaos [SCENARIO...] [--seed S] [--repeat N] [--json]``.

Each run is checked against an independent fold of its source log. Its figures, seed and timeline are written to
``tests/chaos/results/SCENARIO.json``. Exit code 1 when a run was not as declared.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from tests.chaos import scenarios
from tests.chaos.cluster import Cluster
from tests.chaos.result_files import RESULTS, Runs, write
from tests.chaos.scenario import SCENARIOS, Result, carry_out
from tests.support.bundle import write_models

ENDURANCE = "endurance"
"""Not part of a full run: ten runs of it take an hour."""


def main() -> int:
    """Run the selected scenarios one after the other, each on its own brokers."""
    quieten()
    given = _arguments()
    if given.list:
        for known in SCENARIOS.values():
            print(f"{known.name:26} {known.declared}")  # noqa: T201
        return 0
    passed = True
    for name in given.scenarios or [name for name in SCENARIOS if name != ENDURANCE]:
        results = [
            play(name, given.seed + number, given.scale, given.app, quiet=given.json)
            for number in range(given.repeat)
        ]
        passed = passed and all(result.passed for result in results)
        if not given.no_file:
            _publish(RESULTS / f"{name}.json", results, add=given.add)
        if given.json:
            print(msgspec.json.format(msgspec.json.encode(results)).decode())  # noqa: T201
    return 0 if passed else 1


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
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=1, help="number of runs, each with the next seed")
    parser.add_argument("--scale", type=float, default=1.0, help="factor for durations and events")
    parser.add_argument("--app", default="app.worker", help="the Faust app that the workers run")
    parser.add_argument("--json", action="store_true", help="print the results instead of a line each")
    parser.add_argument("--add", action="store_true", help="append to the runs of an existing result file")
    parser.add_argument("--no-file", action="store_true", help="leave the result files as they are")
    given = parser.parse_args()
    for name in given.scenarios:
        if name not in SCENARIOS:
            parser.error(f"unknown scenario {name}; --list shows all")
    return given


def play(name: str, seed: int, scale: float, app: str, *, quiet: bool = False) -> Result:
    """Run one scenario on three new brokers."""
    started = time.monotonic()
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
    if not quiet:
        _print(result, time.monotonic() - started)
    return result


def _print(result: Result, seconds: float) -> None:
    figures = msgspec.structs.asdict(result.figures)
    shown = ", ".join(f"{name} {value}" for name, value in figures.items() if value)
    verdict = "as declared" if result.passed else "NOT AS DECLARED"
    print(f"{result.scenario} of {result.workers}, seed {result.seed}: {verdict} in {seconds:.0f} s; {shown}")  # noqa: T201
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

if __name__ == "__main__":
    sys.exit(main())
