"""The events of the benches: those of the Handbook if its file lies beside the project, otherwise simulated ones."""

from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path

from app.adapters.column_mapping import load_mapping
from app.adapters.tabular.files import read_batches
from app.domain.transaction import Transaction
from app.traffic.simulate import Simulation, simulate

HANDBOOK = Path(__file__).parents[2] / ".." / "shared" / "data" / "handbook" / "transactions.parquet"


def events(count: int) -> Iterator[Transaction]:
    """Yield the first ``count`` events in order of time."""
    return islice(_handbook() if HANDBOOK.exists() else _simulated(), count)


def source() -> str:
    """Return ``handbook`` or ``simulated``."""
    return "handbook" if HANDBOOK.exists() else "simulated"


def _handbook() -> Iterator[Transaction]:
    for batch in read_batches(HANDBOOK, load_mapping("handbook")):
        yield from batch.transactions()


def _simulated() -> Iterator[Transaction]:
    simulation = Simulation(customers=5_000, terminals=10_000, days=365, seed=0, start=date(2025, 1, 1))
    for batch in simulate(simulation):
        yield from batch.transactions()
