"""Fuzzes one door, guided by coverage: ``python -m tests.fuzz.coverage_guided --door NAME [--seconds S] [--seed N] [--no-file]``.

The figures are written to ``tests/fuzz/coverage_guided/results/NAME.json``. ``--input BASE64`` decodes an input that was found.
Exit code 1 where an outcome is not documented, an input takes too long, or memory grows.
"""

import argparse
import base64
import sys
from datetime import UTC, datetime

import msgspec

from tests.fuzz.coverage_guided import result
from tests.fuzz.coverage_guided.inputs import Inputs
from tests.fuzz.coverage_guided.run import run
from tests.fuzz.doors import DOORS


def main() -> int:
    given = _arguments()
    door = DOORS[given.door]
    if given.input is not None:
        made = Inputs(door, given.seed).of(base64.b64decode(given.input))
        sys.stdout.write(f"{made!r}\n{door.decode(made)}\n")
        return 0
    found = result.Result(
        **msgspec.structs.asdict(run(given.door, given.seed, given.seconds)),
        door=given.door,
        command=f"python -m tests.fuzz.coverage_guided --door {given.door} --seconds {given.seconds} --seed {given.seed}",
        seed=given.seed,
        seconds=given.seconds,
        day=datetime.now(UTC).date().isoformat(),
        growth_bound_mib=door.growth_mib,
    )
    if not given.no_file:
        result.write(found)
    sys.stdout.write(
        f"{found.door}: {found.inputs:,} inputs, {found.edges} edges, {found.kept} kept, {found.outcomes}, slowest {found.slowest_ms} ms, "
        f"memory +{found.growth_mib} MiB, {found.cpu_seconds} s of processor time\n"
    )
    sys.stdout.writelines(
        f"{what}\n  --input {base64.b64encode(data).decode()}\n" for what, data in found.findings.items()
    )
    return 1 if found.findings else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.coverage_guided", description=__doc__)
    parser.add_argument("--door", required=True, choices=sorted(DOORS))
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--input", metavar="BASE64", help="decode this input of a finding")
    parser.add_argument("--no-file", action="store_true", help="leave the result file as it is")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
