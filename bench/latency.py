"""Latency from intended send to alert received, of our worker and others: `python -m bench.latency [--json]`.

An open-loop generator sends at fixed rates, independent of the progress of the contestant. Latency is measured from the
intended time of an event, so that no delay hides another (no coordinated omission). Generator, contestant and receiver are
separate processes on one machine with a common monotonic clock; the contestant is pinned to one core. The champion's
threshold is changed so that a known share of the events alerts. One worker, four partitions; the warm-up of contestant and
broker is not counted.
"""

import argparse
import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from app.local.state import Stack
from bench.contestants.roster import Contestant, chosen
from bench.data import alerting
from bench.data.events import source
from bench.harness import results
from bench.harness.broker import broker
from bench.harness.deployment import PARTITIONS, BenchDeployment
from bench.harness.rate_run import PRIME_EVENTS, WARM_UP_SECONDS, Expected, Plan, RateResult, run_at_rate
from bench.harness.turns import in_turn

ALL = "ours,echo,quix,naive_faust"
ALERT_SHARE = 0.05


class Options(NamedTuple):
    """The options of a run."""

    contestants: Sequence[Contestant]
    rates: Sequence[int]
    seconds: int
    turns: int


def main() -> None:
    """Run, print and write ``bench/results/latency.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", default="500,2000,8000", help="events per second")
    parser.add_argument("--seconds", type=int, default=20, help="measured seconds per rate and turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--contestants", default=ALL, help=f"of {ALL}")
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    given = parser.parse_args()
    rates = sorted(int(rate) for rate in given.rates.split(","))
    options = Options(chosen(given.contestants), rates, given.seconds, given.turns)
    with broker() as (stack, directory):
        content = run(options, stack, directory)
    results.publish("latency", content, table(content), as_json=given.json)


def run(options: Options, stack: Stack, directory: Path, module: str = "bench.latency") -> dict[str, Any]:
    """Measure and return the content of the result file for ``module``.

    A rate that a contestant did not sustain is not tried again, nor a higher one.
    """
    plans = [Plan(rate, options.seconds) for rate in options.rates]
    expected = dict(zip(plans, _expected(plans, directory), strict=True))
    measured: dict[tuple[Contestant, Plan], list[RateResult]] = {
        (contestant, plan): [] for plan in plans for contestant in options.contestants
    }
    too_fast: dict[Contestant, int] = {}
    _warm_the_broker(options, plans[-1], expected[plans[-1]], stack, directory)
    for number in range(options.turns):
        for (contestant, plan), taken in in_turn(measured.items(), number):
            if plan.rate >= too_fast.get(contestant, plan.rate + 1):
                continue
            name = f"latency-{number}-{plan.rate}-{contestant.name}"
            deployment = BenchDeployment(name, stack.bootstrap_servers)
            shown = asyncio.run(run_at_rate(contestant, plan, expected[plan], deployment, directory / name))
            results.progress(f"turn {number + 1}: {contestant.name} at {plan.rate}: {_summary(shown)}")
            if shown is None:
                too_fast[contestant] = plan.rate
            else:
                taken.append(shown)
    return results.document(
        module,
        [_row(contestant, plan, taken) for (contestant, plan), taken in measured.items()],
        source=source(),
        partitions=PARTITIONS,
        seconds=options.seconds,
        alert_share=ALERT_SHARE,
        warm_up_seconds=WARM_UP_SECONDS,
        prime_events=PRIME_EVENTS,
    )


def _warm_the_broker(options: Options, plan: Plan, expected: Expected, stack: Stack, directory: Path) -> None:
    """Run one turn at the highest rate without counting it: the broker's JVM compiles during its first half minute of load,
    on the cores that the contestants need.
    """
    for contestant in options.contestants[:2]:
        name = f"warm-up-{contestant.name}"
        asyncio.run(
            run_at_rate(
                contestant, plan, expected, BenchDeployment(name, stack.bootstrap_servers), directory / name
            )
        )


def _expected(plans: Sequence[Plan], directory: Path) -> Iterator[Expected]:
    scores = alerting.scores(max(plan.end for plan in plans), directory)
    for plan in plans:
        counted = scores[plan.counted_from : plan.end]
        review = alerting.threshold(counted, ALERT_SHARE)
        models = alerting.models(review, directory / f"models-{plan.rate}")
        yield Expected(models, set((np.flatnonzero(counted >= review) + plan.counted_from).tolist()))


def _summary(shown: RateResult | None) -> str:
    return "not sustained" if shown is None else f"{shown.latency_ms} ms"


def _row(contestant: Contestant, plan: Plan, taken: Sequence[RateResult]) -> dict[str, Any]:
    """Return the medians and the single values of the turns; null where the rate was never sustained."""
    return {
        "contestant": contestant.name,
        "workers": 1,
        "rate": plan.rate,
        "sustained": bool(taken),
        "alerts": taken[0].alerts if taken else None,
        "events_per_s": [round(turn.events_per_s) for turn in taken],
        "latency_ms": _medians([turn.latency_ms for turn in taken]),
        "decision_latency_ms": _medians([turn.decision_latency_ms for turn in taken]),
        "generator_late_ms": _medians([turn.generator_late_ms for turn in taken]),
        "latency_ms_per_turn": [turn.latency_ms for turn in taken],
        "decision_latency_ms_per_turn": [turn.decision_latency_ms for turn in taken],
    }


def _medians(turns: Sequence[Mapping[str, float]]) -> dict[str, float] | None:
    return {name: results.median([turn[name] for turn in turns]) for name in turns[0]} if turns else None


def table(content: Mapping[str, Any]) -> str:
    """Return a table of medians in milliseconds; the last column is p99 relative to the echo's at the same rate."""
    floor = {
        row["rate"]: row["latency_ms"]["p99"]
        for row in content["results"]
        if row["contestant"] == "echo" and row["sustained"]
    }
    head = (
        "contestant",
        "events/s",
        "alert p50",
        "p99",
        "p99.9",
        "max",
        "decision p99",
        "late p99",
        "p99 / echo",
    )
    return results.table(head, [_line(row, floor.get(row["rate"])) for row in content["results"]])


def _line(row: Mapping[str, Any], floor: float | None) -> Sequence[str]:
    start = (row["contestant"], f"{row['rate']:,}")
    if not row["sustained"]:
        return (*start, "not sustained", *[""] * 6)
    latency = row["latency_ms"]
    return (
        *start,
        *(f"{latency[name]:.1f}" for name in ("p50", "p99", "p999", "max")),
        f"{row['decision_latency_ms']['p99']:.1f}",
        f"{row['generator_late_ms']['p99']:.1f}",
        f"{latency['p99'] / floor:.1f}" if floor else "",
    )


if __name__ == "__main__":
    main()
