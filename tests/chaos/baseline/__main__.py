"""The scenarios that stock Faust can be held against: ``python -m tests.chaos.baseline [SCENARIO...]``.

Its offsets and RocksDB are not looked at, since nothing says what they should be; what is counted is what was lost, counted
twice and not told.
"""

import argparse
import sys

import msgspec

from tests.chaos.__main__ import RESULTS, play, quieten

APP = "tests.chaos.baseline.stock"
SCENARIOS = (
    *("kill_keeps_disk", "kill_loses_disk", "rolling_restart", "rebalance_storm"),
    *("zombie", "broker_paused", "garbage", "alerts_refused"),
)
SCALE = 0.5


def main() -> int:
    """It is no failure that stock Faust fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.baseline", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    quieten()
    runs = [play(name, given.seed, SCALE, APP) for name in given.scenarios or SCENARIOS]
    content = {"command": "python -m tests.chaos.baseline", "runs": runs}
    (RESULTS / "stock.json").write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
