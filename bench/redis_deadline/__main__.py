"""Share of decisions without entities by the read deadline of Redis: `python -m bench.redis_deadline [--json]`.

A scoring worker, an entities worker, Redis, the broker, the sender and the receiver share the cores of one machine; under
load, processes that compute all the time share them too. Several days of the Handbook pass in a second at these rates, so
that nearly every chunk reads all of its entities from Redis. Redis is filled before the measurement: a decision without
entities is one for which Redis did not answer in time, or was not asked because it had not answered before.
"""

import argparse
import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.local.state import Stack
from bench.data.events import source
from bench.harness import results
from bench.harness.broker import broker
from bench.harness.turns import in_turn
from bench.redis_deadline.turn import Condition, Turn, measure

NAME = "redis_deadline"
WARM_UP = Condition(1.0, 1_000, 0)


def main() -> None:
    """Run, print and write ``bench/results/redis_deadline.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--deadlines", default="0.02,0.05,0.1,0.2,0.5", help="seconds")
    parser.add_argument("--rates", default="1000,4000", help="events per second")
    parser.add_argument("--seconds", type=int, default=10, help="measured seconds per turn")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    given = parser.parse_args()
    conditions = list(_conditions(given.deadlines, given.rates))
    with broker() as (stack, directory):
        content = asyncio.run(run(conditions, given.seconds, given.turns, stack, directory))
    results.publish(NAME, content, table(content), as_json=given.json)


def _conditions(deadlines: str, rates: str) -> Iterator[Condition]:
    """Without further load, and with two busy processes for each core."""
    for busy in (0, 2 * (os.cpu_count() or 1)):
        for rate in rates.split(","):
            for deadline in deadlines.split(","):
                yield Condition(float(deadline), int(rate), busy)


async def run(
    conditions: Sequence[Condition], seconds: int, turns: int, stack: Stack, directory: Path
) -> dict[str, Any]:
    """Measure all turns and return the content of the result file."""
    measured: dict[Condition, list[Turn]] = {condition: [] for condition in conditions}
    await measure(WARM_UP, seconds, "warm-up", stack, directory / "warm-up")  # the broker's JVM compiles
    for number in range(turns):
        for index, (condition, taken) in enumerate(in_turn(measured.items(), number)):
            name = f"turn-{number}-{index}"
            taken.append(await measure(condition, seconds, name, stack, directory / name))
            results.progress(f"turn {number + 1}: {condition}: {taken[-1]}")
    rows = [_row(condition, taken) for condition, taken in measured.items()]
    return results.document("bench.redis_deadline", rows, source=source(), seconds=seconds)


def _row(condition: Condition, taken: Sequence[Turn]) -> dict[str, Any]:
    return {
        **condition._asdict(),
        "decisions": [turn.decisions for turn in taken],
        "without_entities": [turn.without_entities for turn in taken],
        "share_without_entities": sum(turn.without_entities for turn in taken)
        / sum(turn.decisions for turn in taken),
        "decision_latency_ms": [turn.decision_latency_ms for turn in taken],
    }


def table(content: Mapping[str, Any]) -> str:
    """Return a row for each condition, with the medians of the latencies."""
    head = ("deadline", "events/s", "busy processes", "without entities", "decision p50 ms", "p99 ms")
    return results.table(head, [_line(row) for row in content["results"]])


def _line(row: Mapping[str, Any]) -> Sequence[str]:
    taken = row["decision_latency_ms"]
    return (
        f"{row['deadline_seconds'] * 1000:g} ms",
        f"{row['rate']:,}",
        str(row["busy"]),
        f"{row['share_without_entities']:.2%}",
        *(f"{results.median([turn[name] for turn in taken]):,.1f}" for name in ("p50", "p99")),
    )


if __name__ == "__main__":
    main()
