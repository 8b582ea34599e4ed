"""Run the scenarios that apply to stock Faust: ``python -m tests.chaos.baseline [SCENARIO...]``.

Lost, double-counted and unalerted transactions are counted. Offsets and RocksDB are not checked, since stock Faust does not
define them.
"""

import argparse
import sys

from tests.chaos.__main__ import play, quieten
from tests.chaos.result_files import RESULTS, Runs, runs_in, write
from tests.chaos.scenario import Result

APP = "tests.chaos.baseline.stock"
SCENARIOS = (
    *("kill_keeps_disk", "kill_loses_disk", "rolling_restart", "rebalance_storm"),
    *("zombie", "broker_paused", "garbage", "alerts_refused"),
)
SCALE = 0.5
FILE = RESULTS / "stock.json"


def main() -> int:
    """Run the named scenarios or all, and replace their results in the file. Returns 0 also if stock Faust fails one."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.baseline", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    quieten()
    for name in given.scenarios or SCENARIOS:
        run = play(name, given.seed, SCALE, APP)
        _publish({known.scenario: known for known in runs_in(FILE)} | {name: run})
    return 0


def _publish(runs: dict[str, Result]) -> None:
    ordered = [runs[name] for name in SCENARIOS if name in runs]
    write(FILE, Runs("python -m tests.chaos.baseline", ordered))


if __name__ == "__main__":
    sys.exit(main())
