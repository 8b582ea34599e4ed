"""Time of a condition for each row in both back-ends, by rows of a chunk: `python -m bench.expressions [--json]`.

One condition of six comparisons joined by and, of which half of the rows pass each, over columns that a chunk has anyway.
The columns of texts are encoded once for all conditions of a chunk, and not measured.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from app.expressions.cells import Cell, Row
from app.expressions.checking import checker
from app.expressions.names import Field, Kind, Names
from app.expressions.program import Program, compiled
from app.expressions.vector.columns import chunk_of
from bench.harness import results

NAMES = Names(
    (
        Field("amount", Kind.MONEY),
        Field("count_1h", Kind.NUMBER),
        Field("travel_kmh", Kind.NUMBER),
        Field("channel", Kind.CATEGORY, ("ecom", "pos")),
        Field("device_id", Kind.IDENTIFIER),
        Field("event_time", Kind.TIME),
    ),
    currency="EUR",
    lists=("blocked",),
)
CONDITIONS = {
    "one comparison": "amount > 50 EUR",
    "six comparisons": "count_1h > 0.5 and travel_kmh > 0.5 and channel == 'ecom' and amount > 50 EUR and not count_1h < 0.1 "
    "and travel_kmh != 2",
    "a list": "device_id in blocked",
    "the hour": "hour(event_time) < 12",
}
BLOCKED = {"blocked": frozenset(f"d{number}" for number in range(0, 200_000, 2))}
SIZES = (1, 8, 32, 64, 500, 2_000)
MINIMUM_SECONDS = 0.05


def rows(count: int) -> list[Row]:
    """Rows in which each comparison holds for about half."""
    random = Random(1)
    return [tuple(_row(random)) for _ in range(count)]


def _row(random: Random) -> list[Cell]:
    channel, device = random.choice(("ecom", "pos")), f"d{random.randrange(200_000)}"
    return [
        random.randrange(10_000),
        random.random(),
        random.random(),
        channel,
        device,
        random.randrange(10**12),
    ]


def measure(name: str, program: Program, count: int, turns: int) -> dict[str, Any]:
    """Return nanoseconds of processor time for each row of a chunk; the medians of the turns."""
    some = rows(count)
    chunk = chunk_of(some, [column.kind for column in NAMES.columns])
    return {
        "condition": name,
        "rows": count,
        "one_ns": _median_ns(lambda: [program.one(row, BLOCKED) for row in some], count, turns),
        "many_ns": _median_ns(lambda: program.many(chunk, BLOCKED), count, turns),
    }


def _median_ns(call: Callable[[], object], count: int, turns: int) -> float:
    return results.median([_ns(call) / count for _ in range(turns)])


def _ns(call: Callable[[], object]) -> float:
    calls, begin = 0, time.process_time()
    while (taken := time.process_time() - begin) < MINIMUM_SECONDS:
        call()
        calls += 1
    return taken / calls * 1e9


def table(content: Mapping[str, Any]) -> str:
    head = ("condition", "rows", "closure, ns a row", "NumPy, ns a row")
    rows = [
        (row["condition"], f"{row['rows']:,}", f"{row['one_ns']:,.0f}", f"{row['many_ns']:,.1f}")
        for row in content["results"]
    ]
    return results.table(head, rows)


def main() -> None:
    """Run, print and write ``bench/results/expressions.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    programs = {name: compiled(checker.condition(text, NAMES), NAMES) for name, text in CONDITIONS.items()}
    found = [
        measure(name, program, count, options.turns) for name, program in programs.items() for count in SIZES
    ]
    content = results.document("bench.expressions", found)
    results.publish("expressions", content, table(content), as_json=options.json)


if __name__ == "__main__":
    main()
