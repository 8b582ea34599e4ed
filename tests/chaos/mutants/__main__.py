"""Run each mutant in the scenario that must find it: ``python -m tests.chaos.mutants [MUTANT...]``."""

import argparse
import sys
from functools import cache, partial

from tests.chaos.__main__ import play, quieten
from tests.chaos.lab.isolation import Job
from tests.chaos.lab.isolation import play as play_in_lab
from tests.chaos.lab.lab_scenario import LAB_SCENARIOS
from tests.chaos.result_files import RESULTS, Mutants, mutants_in, write
from tests.chaos.scenario import Result

MEANT_FOR = {
    "no_guard": "ten_kills",
    "commit_before_durable": "ten_kills",
    "store_before_changelog": "killed_and_moved",
    "state_before_alert": "ten_kills",
    "no_zombie_rule": "zombie",
    "errors_acknowledged": "alerts_refused",
    "no_broker_fence": "late_changelog_write",
    "clock_trusted": "clock_slow",
    "no_fsync": "power_lost_soon",
    "no_producer_ids": "connections_reset",
}
SCALE = 0.5
FILE = RESULTS / "mutants.json"


def main() -> int:
    """Run the mutants; exit code 1 when one was not found. Named mutants replace their results in the file."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.mutants", description=__doc__)
    parser.add_argument("mutants", nargs="*", metavar="MUTANT", help=", ".join(MEANT_FOR))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    quieten()
    # The service itself runs once for all mutants of a scenario.
    run = cache(partial(_play, seed=given.seed))
    chosen = given.mutants or list(MEANT_FOR)
    for mutant in chosen:
        scenario = MEANT_FOR[mutant]
        found = [run(scenario, app="app.worker"), run(scenario, app=f"tests.chaos.mutants.{mutant}")]
        _publish(mutants_in(FILE) | {mutant: found})
    published = mutants_in(FILE)
    return 0 if all(_is_found(*published[mutant]) for mutant in chosen) else 1


def _play(scenario: str, seed: int, app: str) -> Result:
    if scenario in LAB_SCENARIOS:
        (result,) = play_in_lab([Job(scenario, seed, app)], 1.0)
        return result
    return play(scenario, seed, SCALE, app)


def _is_found(healthy: Result, mutant: Result) -> bool:
    return healthy.passed and not mutant.passed


def _publish(runs: dict[str, list[Result]]) -> None:
    ordered = {mutant: runs[mutant] for mutant in MEANT_FOR if mutant in runs}
    write(FILE, Mutants("python -m tests.chaos.mutants", ordered))


if __name__ == "__main__":
    sys.exit(main())
