"""Effect of FRAUDSTREAM_WORKER_CORE: `python -m bench.core [--json]`.

A worker pinned to one core and one that the system schedules freely, in alternating turns, measured as in `bench.latency`.
"""

import argparse

from bench import latency
from bench.contestants.roster import ROSTER
from bench.harness import results
from bench.harness.broker import broker


def main() -> None:
    """Run, print and write ``bench/results/core.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", default="2000,8000", help="events per second")
    parser.add_argument("--seconds", type=int, default=6, help="measured seconds per rate and turn")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    given = parser.parse_args()
    ours = ROSTER["ours"]
    contestants = [ours, ours._replace(name="ours_any_core", one_core=False)]
    rates = sorted(int(rate) for rate in given.rates.split(","))
    options = latency.Options(contestants, rates, given.seconds, given.turns)
    with broker() as (stack, directory):
        content = latency.run(options, stack, directory, "bench.core")
    results.publish("core", content, latency.table(content), as_json=given.json)


if __name__ == "__main__":
    main()
