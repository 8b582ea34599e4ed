"""Cost of the fold of a catalog, beside today's fold: `python -m bench.profiles [--json]`.

Every row folds one chunk of one or two events per customer into profiles that hold a number of events, and takes the processor
time of each event: unpacking, windows, packing. The shipped features run in today's fold and as a catalog, in alternating
turns. The other rows vary the number of windows, filters and functions, and the worst case folds a chunk of one customer
whose profile is full.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from app.catalog.definitions import Function
from app.features import fold as today
from app.features.window import Bounds
from app.profiles import fold as profiles
from app.profiles.plan import Plan
from bench.harness import results
from bench.profiles.plans import NUMBERS, SPAN_MS, grid, hundred, shipped
from bench.profiles.traffic import Period, inputs, of_today, traffic

START_MS, HOUR_MS = 1_700_000_000_000, 3_600_000
BOUNDS = Bounds(24 * HOUR_MS, 8192)
KEPT = (3, 30, 300, 1_000)
CUSTOMERS = 50
TURNS = 5


class Case(NamedTuple):
    """What is measured."""

    name: str
    plan: Plan
    kept: int
    per_customer: int = 1
    customers: int = CUSTOMERS


def measure(case: Case) -> dict[str, Any]:
    """Fold one chunk over and over; microseconds of each event, and bytes of each kept event."""
    results.progress(f"{case.name}, {case.kept} events kept")
    old = traffic(case.plan, case.customers, case.kept, Period(0, START_MS, SPAN_MS))
    later = Period(len(old.customer), START_MS + SPAN_MS, HOUR_MS)
    new = traffic(case.plan, case.customers, case.per_customer, later)
    before = profiles.fold(case.plan, [b""] * case.customers, inputs(case.plan, old), BOUNDS).profiles
    events, old_events = inputs(case.plan, new), of_today(new)
    taken = {"catalog": _folding(lambda: profiles.fold(case.plan, before, events, BOUNDS))}
    found: dict[str, Any] = {"bytes_per_event": sum(map(len, before)) / len(old.customer)}
    if case.name == "shipped":
        stored = today.fold([b""] * case.customers, of_today(old), BOUNDS).profiles
        taken["today"] = _folding(lambda: today.fold(stored, old_events, BOUNDS))
        found["today_bytes_per_event"] = sum(map(len, stored)) / len(old.customer)
    microseconds = alternating(taken, len(new.customer))
    return {
        "case": case.name,
        "kept": case.kept,
        "events_per_customer": case.per_customer,
        "features": len(case.plan.features),
        "us_per_event": microseconds["catalog"],
        **({"today_us_per_event": microseconds["today"]} if "today" in microseconds else {}),
        **found,
    }


def _folding(call: Callable[[], object]) -> Callable[[], float]:
    def timed() -> float:
        begin = time.process_time()
        call()
        return time.process_time() - begin

    return timed


def alternating(calls: Mapping[str, Callable[[], float]], events: int) -> dict[str, float]:
    """Microseconds per event of each, medians of turns that alternate."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(TURNS + 1):
        for name, call in calls.items():
            taken = call()
            if turn:  # the first one fills caches
                seconds[name].append(taken)
    return {name: results.median(found) / events * 1e6 for name, found in seconds.items()}


def cases() -> list[Case]:
    """Every case of the run."""
    shipped_plan, count = shipped(), (Function.COUNT,)
    return [
        *(Case("shipped", shipped_plan, kept, per) for kept in KEPT for per in (1, 2)),
        *(Case(f"{n} windows", grid(n, 0, NUMBERS), 300) for n in (1, 4, 10, 30)),
        *(Case(f"{n} filters", grid(4, n, NUMBERS), 300) for n in (0, 1, 8, 32)),
        *(
            Case(f"{function} in 4 windows", grid(4, 0, (function,)), 300)
            for function in (
                *NUMBERS,
                Function.MAX,
                Function.DISTINCT,
                Function.IS_NEW,
                Function.SECONDS_SINCE_LAST,
                Function.TIME_SIMILARITY,
            )
        ),
        *(Case("100 features, 10 windows, 8 filters", hundred(), kept) for kept in KEPT),
        Case("shipped, one full customer", shipped_plan, 8_192, 500, 1),
        Case("100 features, one full customer", hundred(), 8_192, 500, 1),
        Case("count, one full customer", grid(1, 0, count), 8_192, 500, 1),
    ]


def table(content: Mapping[str, Any]) -> str:
    head = ("case", "kept", "per customer", "features", "µs an event", "today", "bytes an event", "today")
    rows = [
        (
            row["case"],
            f"{row['kept']:,}",
            str(row["events_per_customer"]),
            str(row["features"]),
            f"{row['us_per_event']:.2f}",
            f"{row['today_us_per_event']:.2f}" if "today_us_per_event" in row else "",
            f"{row['bytes_per_event']:.1f}",
            f"{row['today_bytes_per_event']:.1f}" if "today_bytes_per_event" in row else "",
        )
        for row in content["results"]
    ]
    return results.table(head, rows)


def main() -> None:
    """Run, print and write ``bench/results/profiles.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    content = results.document("bench.profiles", [measure(case) for case in cases()], turns=TURNS)
    results.publish("profiles", content, table(content), as_json=options.json)


if __name__ == "__main__":
    main()
