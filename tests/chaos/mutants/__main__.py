"""Each mutant through the scenario that is meant to find it: ``python -m tests.chaos.mutants [MUTANT...]``."""

import argparse
import sys
from functools import cache, partial

import msgspec

from tests.chaos.__main__ import RESULTS, play, quieten
from tests.chaos.scenario import Result

MEANT_FOR = {
    "no_guard": "ten_kills",
    "commit_before_durable": "ten_kills",
    "store_before_changelog": "killed_and_moved",
    "state_before_alert": "ten_kills",
    "no_zombie_rule": "zombie",
    "errors_acknowledged": "alerts_refused",
}
SCALE = 0.5


def main() -> int:
    """Exit code 1 when a mutant was not found."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.mutants", description=__doc__)
    parser.add_argument("mutants", nargs="*", metavar="MUTANT", help=", ".join(MEANT_FOR))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    quieten()
    results: dict[str, list[Result]] = {}
    run = cache(partial(play, seed=given.seed, scale=SCALE))
    for mutant in given.mutants or MEANT_FOR:
        scenario = MEANT_FOR[mutant]
        healthy = run(scenario, app="app.worker")  # once for all mutants of a scenario
        results[mutant] = [healthy, run(scenario, app=f"tests.chaos.mutants.{mutant}")]
        content = {
            "command": f"python -m tests.chaos.mutants {' '.join(given.mutants)}".strip(),
            "runs": results,
        }
        (RESULTS / "mutants.json").write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
    return 0 if all(healthy.passed and not found.clean for healthy, found in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
