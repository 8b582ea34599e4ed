"""The result of a soak, and its table."""

from pathlib import Path

import msgspec

from bench.pages.page import MIB, NOT_MEASURED, markdown
from tests.chaos.scenario import Result
from tests.chaos.soak.growth import Growth, judge
from tests.chaos.soak.play import Plan
from tests.chaos.soak.sampling import Sample

HEAD = (
    *("worker", "figure", "processes", "after a third", "at the end", "growth per hour", "bound per hour"),
    "flat",
)


class Soak(msgspec.Struct):
    """One soak: the verdict on its guarantees, and all samples."""

    command: str
    plan: Plan
    result: Result
    samples: list[Sample]

    @property
    def growth(self) -> list[Growth]:
        plan = self.plan
        return judge(
            self.samples, plan.sample_seconds, plan.transactions_per_worker_hour, plan.kills_per_hour
        )

    @property
    def passed(self) -> bool:
        growth = self.growth
        return self.result.passed and bool(growth) and all(one.flat for one in growth)

    @property
    def broker_bytes_per_transaction(self) -> float:
        """What all brokers together keep of a transaction: the records of all topics, three copies each."""
        grown = self.samples[-1].broker_bytes - self.samples[0].broker_bytes
        return grown / self.result.figures.transactions


def read(file: Path) -> Soak | None:
    """Read a result; None without a file."""
    return msgspec.json.decode(file.read_bytes(), type=Soak) if file.exists() else None


def table(found: Soak | None) -> str:
    """Return a sentence about the run, and the table of its figures."""
    if found is None:
        return NOT_MEASURED
    return f"{_sentence(found)}\n\n{markdown(HEAD, [_row(one) for one in found.growth])}"


def _sentence(found: Soak) -> str:
    figures, result = found.result.figures, found.result
    harmed = figures.lost + figures.double_counted + figures.alerts_missed
    return (
        f"`{found.command}` of {result.day}: {found.plan.seconds / 3600:g} h, {figures.transactions:,} transactions of "
        f"{figures.customers:,} customers, {result.kills} kills, {len(found.samples):,} samples: {harmed} lost, counted twice "
        f"or not alerted, {'as declared' if found.passed else '**not as declared**'}. The brokers keep "
        f"{found.broker_bytes_per_transaction:,.0f} bytes per transaction, until retention deletes them."
    )


def _row(one: Growth) -> tuple[str, ...]:
    in_bytes = one.figure.endswith("_bytes")
    name = one.figure.removesuffix("_bytes").replace("_", " ") + (" MiB" if in_bytes else "")
    unit = MIB if in_bytes else 1
    levels = (f"{value / unit:,.1f}" if in_bytes else f"{value:,.0f}" for value in (one.first, one.last))
    slopes = (f"{one.per_hour / unit:+,.1f}", f"{one.bound / unit:,.1f}")
    return (one.worker, name, str(one.processes), *levels, *slopes, "yes" if one.flat else "**no**")
