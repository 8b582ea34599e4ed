"""The stream against the batch and against a recount, on the whole public data set.

``python -m tests.consistency.full_stream [ROWS]`` starts a broker and two workers of its own, restarts one of them
in the middle and compares every decision with ``fraudstream score --with-features`` of the same rows, bit for bit.
The workers have no activities of the delayed entities, so those columns are missing; the model looks at the others.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet
from numpy.typing import NDArray

from app.adapters.column_mapping import HANDBOOK as HANDBOOK_COLUMNS
from app.adapters.tabular.files import read_batches
from app.domain.transaction import Transaction
from app.local import stack as local_stack
from tests.support import oracle, reading
from tests.support.bundle import write_models
from tests.support.deployment import Deployment, check_profiles
from tests.support.paths import REPOSITORY

HANDBOOK = REPOSITORY.parent / "shared/data/handbook/transactions.parquet"
COMMAND = (sys.executable, "-c", "from app.cli import main; main()")
"""``fraudstream`` of this working copy."""
FULL_DRAIN_SECONDS = 1_800.0
Numbers = NDArray[np.float64]


class Scores(NamedTuple):
    """What the batch command wrote, by row."""

    rows: dict[str, int]
    """Row of each transaction."""
    features: Numbers
    score: Numbers
    outcome: list[str]

    def agree(self, decision: dict[str, Any]) -> bool:
        """The decision says what the batch says, to the last bit."""
        row = self.rows[decision["transaction_id"]]
        return (
            same_bits(as_known_online(self.features[row]), as_numbers(decision["features"]))
            and self.score[row] == decision["score"]
            and self.outcome[row] == decision["outcome"]
        )


async def stream_equals_batch(deployment: Deployment, rows: int, rate: float | None) -> dict[str, float]:
    """Run the first ``rows`` of the data set through two workers and compare. The figures for a report."""
    file = first_rows(deployment.directory, rows)
    started = time.perf_counter()
    await through_two_workers(deployment, file, rate)
    seconds = time.perf_counter() - started
    scores = batch_scores(deployment, file)
    customers = oracle.fold(await deployment.read(deployment.settings.topics.transactions))
    check_profiles(customers, reading.newest_per_key(await deployment.read(deployment.changelog)))
    check_recount(customers, scores)
    decided = await check_stream(deployment, scores)
    return {
        "transactions": len(scores.rows),
        "decisions": decided,
        "repeated": decided - len(scores.rows),
        "alerts": sum(outcome != "approve" for outcome in scores.outcome),
        "customers": len(customers),
        "seconds": round(seconds, 1),
    }


async def through_two_workers(deployment: Deployment, file: Path, rate: float | None) -> None:
    """One of the two is asked to stop when a third is decided, and comes back while the other goes on."""
    steady, restarted = deployment.worker("steady"), deployment.worker("restarted")
    for worker in (steady, restarted):
        worker.start()
        worker.wait_started()
    sending = deployment.sending(handbook(file), rate=rate)
    await deployment.decided(pyarrow.parquet.read_metadata(file).num_rows // 3, FULL_DRAIN_SECONDS)
    assert restarted.terminate() == 0
    restarted.start()
    restarted.wait_started()
    await sending
    await deployment.drained(FULL_DRAIN_SECONDS)
    assert (steady.terminate(), restarted.terminate()) == (0, 0)


def handbook(file: Path) -> Iterator[Transaction]:
    for batch in read_batches(file, HANDBOOK_COLUMNS):
        yield from batch.transactions()


def first_rows(directory: Path, rows: int) -> Path:
    file = directory / "transactions.parquet"
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(HANDBOOK).slice(0, rows), file)
    return file


def batch_scores(deployment: Deployment, file: Path) -> Scores:
    """The batch command, run as a user runs it."""
    out = deployment.directory / "scores.parquet"
    subprocess.run(  # noqa: S603  # the command is our own list of words
        [*COMMAND, "score", file, "--mapping", "handbook", "--with-features", "--out", out],
        check=True,
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "FRAUDSTREAM_MODEL_DIR": str(deployment.models)},
        stdout=subprocess.DEVNULL,
    )
    table = pyarrow.parquet.read_table(out)
    columns = [table[name].to_numpy().astype(np.float64) for name in oracle.FEATURES]
    return Scores(
        rows={name: row for row, name in enumerate(table["transaction_id"].to_pylist())},
        features=np.column_stack(columns),
        score=table["score"].to_numpy(),
        outcome=table["outcome"].to_pylist(),
    )


def check_recount(customers: dict[str, oracle.Customer], scores: Scores) -> None:
    """Every transaction of the source log has the features that a recount from scratch gives it."""
    recounted = 0
    for customer in customers.values():
        for transaction_id, expected in oracle.expected_features(customer).items():
            found = as_known_online(scores.features[scores.rows[transaction_id]])
            assert same_bits(np.array(expected, dtype=np.float64), found), (transaction_id, expected, found)
            recounted += 1
    assert len(scores.rows) == recounted


async def check_stream(deployment: Deployment, scores: Scores) -> int:
    """Every transaction is decided as the batch decides it, whenever it is decided; how many decisions there are."""
    topics, decided = deployment.settings.topics, 0
    origins: dict[str, tuple[int, int]] = {}
    async for record in deployment.scan(topics.decisions):
        decision = json.loads(record.value)
        assert scores.agree(decision), decision
        origin = (decision["source"]["partition"], decision["source"]["offset"])
        assert origin == origins.setdefault(decision["transaction_id"], origin)
        decided += 1
    assert scores.rows.keys() == origins.keys()
    alerts = {json.loads(record.value)["transaction_id"] async for record in deployment.scan(topics.alerts)}
    assert alerts == {name for name, row in scores.rows.items() if scores.outcome[row] != "approve"}
    return decided


def as_numbers(features: list[float | None]) -> Numbers:
    return np.array([np.nan if value is None else value for value in features], dtype=np.float64)


def as_known_online(features: Numbers) -> Numbers:
    return np.concatenate([features[: oracle.OF_PROFILE], np.full(len(features) - oracle.OF_PROFILE, np.nan)])


def same_bits(expected: Numbers, found: Numbers) -> bool:
    """Equal, where NaN equals NaN."""
    return bool(((expected == found) | (np.isnan(expected) & np.isnan(found))).all())


async def _main(directory: Path, rows: int) -> None:
    stack = await asyncio.to_thread(local_stack.start, directory / "stack", 1, None, os.getpid())
    models = directory / "models"
    write_models(models)
    deployment = Deployment(stack, directory, models)
    try:
        await deployment.ensure_topics()
        print(await stream_equals_batch(deployment, rows, rate=None))  # noqa: T201  # what it was run for
    finally:
        deployment.clear_up()
        await asyncio.to_thread(local_stack.stop, directory / "stack")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(_main(Path(temporary), int(sys.argv[1]) if len(sys.argv) > 1 else 10**9))
