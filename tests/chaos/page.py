"""The tables of docs/guarantees.md, made from ``tests/chaos/results``: ``python -m tests.chaos.page``."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bench.pages.page import NOT_MEASURED, markdown, render
from tests.chaos import scenarios
from tests.chaos.__main__ import ENDURANCE
from tests.chaos.lab import scenarios as lab_scenarios
from tests.chaos.lab.lab_scenario import LAB_SCENARIOS
from tests.chaos.result_files import LAB_RESULTS, RESULTS, mutants_in, runs_in
from tests.chaos.scenario import SCENARIOS, Result
from tests.chaos.soak import report

assert scenarios.__all__  # the import registers all scenarios
assert lab_scenarios.__all__

BEFORE_THE_FENCE = "before_the_fence.json"
"""Runs of the commit before docs/adr/0016; its workers did not claim partitions."""
PAGE = Path(__file__).parents[2] / "docs" / "guarantees.md"


def tables(directory: Path = RESULTS) -> dict[str, str]:
    """Return each table as Markdown, by its marker."""
    found = {name: runs_in(directory / f"{name}.json") for name in SCENARIOS}
    between = {name: runs_in(directory / LAB_RESULTS.name / f"{name}.json") for name in LAB_SCENARIOS}
    return {
        "declared": markdown(("scenario", "declared"), [(s.name, s.declared) for s in SCENARIOS.values()]),
        "lab-declared": markdown(
            ("scenario", "declared"), [(s.name, s.declared) for s in LAB_SCENARIOS.values()]
        ),
        "before-the-fence": _between(_by_scenario(runs_in(directory / LAB_RESULTS.name / BEFORE_THE_FENCE))),
        "lab": _between(between),
        "scenarios": _scenarios({name: runs for name, runs in found.items() if runs}),
        "endurance": _endurance(found[ENDURANCE]),
        "soak": report.table(report.read(directory / "soak.json")),
        "mutants": _mutants(directory / "mutants.json"),
        "stock": _harm(_beside(found, runs_in(directory / "stock.json"))),
    }


def _by_scenario(runs: Sequence[Result]) -> dict[str, list[Result]]:
    return {name: [run for run in runs if run.scenario == name] for name in LAB_SCENARIOS}


def _beside(ours: Mapping[str, Sequence[Result]], others: Iterable[Result]) -> Iterator[Result]:
    """Rows of the mutants, each after the unchanged worker's row of its scenario."""
    for other in others:
        yield from ours[other.scenario]
        yield other


def _scenarios(found: dict[str, list[Result]]) -> str:
    head = (
        *("scenario", "runs", "transactions", "kills", "restarts", "lost", "counted twice"),
        *("customers wrong", "alerts missed", "repeated, same id", "recovery, longest s", "as declared"),
    )
    return markdown(head, [_scenario(name, runs) for name, runs in found.items()])


def _scenario(name: str, runs: Sequence[Result]) -> Sequence[str]:
    figures = [run.figures for run in runs]
    recovery = [seconds for run in runs for seconds in run.recovery_seconds]
    return (
        name,
        str(len(runs)),
        f"{sum(f.transactions for f in figures):,}",
        str(sum(run.kills for run in runs)),
        str(sum(run.restarts for run in runs)),
        str(sum(f.lost for f in figures)),
        str(sum(f.double_counted for f in figures)),
        str(sum(f.customers_wrong_changelog + f.customers_wrong_rocksdb for f in figures)),
        str(sum(f.alerts_missed for f in figures)),
        f"{sum(f.alerts_repeated for f in figures):,}",
        f"{max(recovery):.1f}" if recovery else "",
        "yes" if all(run.passed for run in runs) else "**no**",
    )


def _between(found: dict[str, list[Result]]) -> str:
    """The scenarios between machines, and their sum."""
    head = (
        *("scenario", "runs", "transactions", "kills", "restarts", "late writes", "refused", "lost"),
        *("counted twice", "customers wrong", "alerts missed", "recovery, longest s", "as declared"),
    )
    rows = [_row_between(name, runs) for name, runs in found.items() if runs]
    every = [run for runs in found.values() for run in runs]
    return markdown(head, [*rows, _row_between("all", every)]) if rows else NOT_MEASURED


def _row_between(name: str, runs: Sequence[Result]) -> Sequence[str]:
    figures = [run.figures for run in runs]
    recovery = [seconds for run in runs for seconds in run.recovery_seconds]
    sums = (
        sum(f.transactions for f in figures),
        sum(run.kills for run in runs),
        sum(run.restarts for run in runs),
        sum(f.late_writes for f in figures),
        sum(f.late_writes_refused for f in figures),
        sum(f.lost for f in figures),
        sum(f.double_counted for f in figures),
        sum(f.customers_wrong_changelog + f.customers_wrong_rocksdb for f in figures),
        sum(f.alerts_missed for f in figures),
    )
    return (
        *(name, str(len(runs)), *(f"{number:,}" for number in sums)),
        *(f"{max(recovery):.1f}" if recovery else "", "yes" if all(r.passed for r in runs) else "**no**"),
    )


def _endurance(runs: Sequence[Result]) -> str:
    events = sum(run.figures.transactions for run in runs)
    kills = sum(run.kills for run in runs)
    harmed = sum(run.figures.lost + run.figures.double_counted + run.figures.alerts_missed for run in runs)
    if not events:
        return NOT_MEASURED
    days = sorted({run.day for run in runs})
    summary = (
        f"{len(runs)} runs of {' and '.join(days)}, {events:,} transactions, {kills} kills: "
        f"{harmed} lost, counted twice or not alerted."
    )
    if harmed:
        return summary
    return (
        f"{summary} With 95 % confidence fewer than 3 in {events:,} transactions are harmed, and fewer than 3 in {kills} "
        "kills do harm (the rule of three)."
    )


def _mutants(file: Path) -> str:
    found = mutants_in(file)
    if not found:
        return NOT_MEASURED
    return _harm([run for pair in found.values() for run in pair])


def _harm(runs: Iterable[Result]) -> str:
    head = (
        *("worker", "scenario", "transactions", "lost", "counted twice", "customers wrong"),
        *("decisions missing", "decisions wrong", "alerts missed", "dead letters missing", "not as declared"),
    )
    return markdown(head, [_harm_of(run) for run in runs])


def _harm_of(run: Result) -> Sequence[str]:
    f = run.figures
    wrong = f.customers_wrong_changelog + f.customers_wrong_rocksdb
    numbers = (
        *(f.transactions, f.lost, f.double_counted, wrong, f.decisions_missing),
        *(f.decisions_wrong + f.repeats_that_differ, f.alerts_missed, f.dead_letters_missing),
        len(run.broken),
    )
    return (run.workers.rpartition(".")[2], run.scenario, *(f"{number:,}" for number in numbers))


def main() -> None:
    """Rewrite the page's tables."""
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")


if __name__ == "__main__":
    main()
