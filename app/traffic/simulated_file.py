"""Writes simulated traffic to a file and counts it."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from app.adapters.tabular.table_writer import TRANSACTION_SCHEMA, TableWriter
from app.domain.words import duration
from app.traffic.patterns import PATTERNS
from app.traffic.simulate import Simulation, simulate


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of the written file; ``patterns`` holds the number of frauds per pattern."""

    transactions: int
    frauds: int
    patterns: dict[str, int]
    seconds: float

    def describe(self, out: Path, *, as_json: bool) -> str:
        """Return the last line that the command prints."""
        if as_json:
            return json.dumps(msgspec.to_builtins(self) | {"out": str(out)})
        share = self.frauds / self.transactions if self.transactions else 0.0
        return (
            f"{self.transactions:,} transactions, {self.frauds:,} of them fraud ({share:.2%}), "
            f"into {out} in {duration(self.seconds)}"
        )


def write_simulation(simulation: Simulation, out: Path, on_progress: Callable[[int], None]) -> Written:
    """Write all transactions with their labels; ``out`` appears when it is complete. Raises InvalidFile."""
    started_seconds = time.perf_counter()
    transactions, frauds = 0, Counter[str]()
    with TableWriter(out, TRANSACTION_SCHEMA) as writer:
        for batch in simulate(simulation):
            writer.write(batch.columns())
            transactions += len(batch)
            frauds.update([] if batch.fraud_pattern is None else batch.fraud_pattern.drop_null().to_pylist())
            on_progress(transactions)
    return Written(
        transactions=transactions,
        frauds=frauds.total(),
        patterns={pattern: frauds[pattern] for pattern in PATTERNS},
        seconds=round(time.perf_counter() - started_seconds, 3),
    )
