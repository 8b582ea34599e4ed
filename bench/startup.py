"""Time until `fraudstream worker` joins its group and until `--help` answers: `python -m bench.startup [--json]`.

A worker is timed from the start of its process to the log event `started`, written after all checks when it joins the
group, and to the assignment of its partitions. With --before, two checkouts are measured in alternating turns, each with
the interpreter of its own `.venv`. The first turn of each is not counted: it fills the caches of bytecode and machine
code. CPU seconds (all threads) depend less on other load of the machine than elapsed time.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from app.local.state import Stack
from bench.harness import results
from bench.harness.broker import broker
from bench.harness.deployment import BenchDeployment
from bench.harness.worker_process import REPOSITORY

ROLES = ("risk", "entities", "analytics", "crm")
COMMANDS = ("--help", "worker --help")
STARTED, JOINED = "started", "_on_partitions_assigned"
"""Texts in the worker's log."""
LIMIT_SECONDS = 120
POLL_SECONDS = 0.01


class Took(NamedTuple):
    """Elapsed and CPU time of one run."""

    seconds: float
    cpu_seconds: float


Run = Callable[[Path, int], dict[str, Took]]
"""Runs a checkout in a turn; returns the times by the point reached."""


def main() -> None:
    """Run, print and write ``bench/results/startup.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, help="another checkout with a .venv, to measure in turns")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--roles", default=",".join(ROLES), help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    checkouts = {"after": REPOSITORY}
    if options.before is not None:
        checkouts = {"before": options.before.resolve(), **checkouts}
    with broker() as (stack, directory):
        content = run(checkouts, options.roles.split(","), options.turns, stack, directory)
    results.publish("startup", content, table(content), as_json=options.json)


def run(
    checkouts: Mapping[str, Path], roles: list[str], turns: int, stack: Stack, directory: Path
) -> dict[str, Any]:
    """Measure and return the content of the result file."""
    deployment = BenchDeployment("startup", stack.bootstrap_servers)
    asyncio.run(deployment.make_topics())
    environment = deployment.environment() | stack.redis_environment
    runs: dict[str, Run] = {f"fraudstream {command}": _help(command) for command in COMMANDS}
    runs |= {f"fraudstream worker --role {role}": _worker(role, environment, directory) for role in roles}
    rows = []
    for name, one in runs.items():
        taken: dict[tuple[str, str], list[Took]] = {}
        for number in range(turns + 1):
            for label, checkout in checkouts.items():
                for reached, took in one(checkout, number).items():
                    if number:  # the first is not counted
                        taken.setdefault((reached, label), []).append(took)
                        results.progress(
                            f"{name}: {label} {reached} {took.seconds:.2f} s, CPU {took.cpu_seconds:.2f} s"
                        )
        rows += [_row(name, reached, label, all_of) for (reached, label), all_of in sorted(taken.items())]
    commits = {label: _commit(checkout) for label, checkout in checkouts.items()}
    return results.document("bench.startup", rows, commits=commits, load_average=round(os.getloadavg()[0], 1))


def _row(name: str, reached: str, label: str, taken: list[Took]) -> dict[str, Any]:
    return {
        "command": name,
        "reached": reached,
        "checkout": label,
        "seconds": [round(one.seconds, 3) for one in taken],
        "cpu_seconds": [round(one.cpu_seconds, 3) for one in taken],
    }


def _help(command: str) -> Run:
    def one(checkout: Path, _: int) -> dict[str, Took]:
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603  # the command is our own list of words
            [checkout / ".venv/bin/fraudstream", *command.split()],
            cwd=checkout,
            env=_inherited(),
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"fraudstream {command} ended with {process.returncode}")
        return {"done": Took(time.perf_counter() - began, usage.ru_utime + usage.ru_stime)}

    return one


def _worker(role: str, environment: Mapping[str, str], directory: Path) -> Run:
    def one(checkout: Path, number: int) -> dict[str, Took]:
        place = directory / f"{checkout.name}-{role}-{number}"
        place.mkdir()
        log = place / "worker.log"
        with log.open("wb") as output:
            began = time.perf_counter()
            process = psutil.Popen(
                [
                    str(checkout / ".venv/bin/fraudstream"),
                    "worker",
                    "--role",
                    role,
                    "--data-dir",
                    str(place / "data"),
                ],
                cwd=checkout,
                env={**_inherited(), **environment, "FRAUDSTREAM_ANALYTICS_DIR": str(place / "files")},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            return {
                name: _reached(process, log, word, began)
                for name, word in {"started": STARTED, "joined": JOINED}.items()
            }
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(LIMIT_SECONDS)

    return one


def _reached(process: psutil.Popen, log: Path, word: str, began: float) -> Took:
    while (seconds := time.perf_counter() - began) < LIMIT_SECONDS and process.poll() is None:
        if word in log.read_text(encoding="utf-8", errors="replace"):
            times = process.cpu_times()
            return Took(seconds, times.user + times.system)
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"the worker did not reach {word}:\n{log.read_text(encoding='utf-8')[-2000:]}")


def _inherited() -> dict[str, str]:
    """The environment without variables that disable the bytecode cache or configure another interpreter."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FRAUDSTREAM_"))
    }


def _commit(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603  # as above


def table(content: Mapping[str, Any]) -> str:
    """Return a table of minimum and median, in elapsed and in CPU seconds."""
    rows = [
        (
            f"{row['command']}, {row['reached']}, {row['checkout']}",
            *(
                f"{each(row[unit]):.2f}"
                for unit in ("seconds", "cpu_seconds")
                for each in (min, results.median)
            ),
        )
        for row in content["results"]
    ]
    return results.table(("what", "fastest s", "median s", "least CPU s", "median CPU s"), rows)


if __name__ == "__main__":
    main()
