"""Runs one door: ``python -m tests.fuzz --door NAME [--inputs N] [--seed S] [--no-file]``.

The figures are written to ``tests/fuzz/results/NAME.json``. ``--only INDEX`` shows one input and its outcome.
Exit code 1 where an outcome is not documented, an input takes too long, or memory grows.
"""

import argparse
import sys
from datetime import UTC, datetime

from tests.fuzz import results_file, supervisor
from tests.fuzz.doors import DOORS


def main() -> int:
    given = _arguments()
    door = DOORS[given.door]
    if given.only is not None:
        made = supervisor.make(door, given.seed, given.only)
        sys.stdout.write(f"{made!r}\n")
        sys.stdout.write(f"{door.decode(made)}\n")
        return 0
    found = results_file.result(
        door,
        supervisor.run(door, given.seed, 0, given.inputs),
        command=f"python -m tests.fuzz --door {given.door} --inputs {given.inputs} --seed {given.seed}",
        seed=given.seed,
        inputs=given.inputs,
        day=datetime.now(UTC).date().isoformat(),
    )
    if not given.no_file:
        results_file.write(found)
    wrong = results_file.broken(found)
    sys.stdout.write(
        f"{found.door}: {found.outcomes}, slowest {found.slowest_ms} ms (input {found.slowest_index}), "
        f"memory +{found.growth_mib} MiB, {found.cpu_seconds} s of processor time\n"
    )
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--door", required=True, choices=sorted(DOORS))
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="INDEX")
    parser.add_argument("--no-file", action="store_true", help="leave the result file as it is")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
