"""Console output of the commands that send: a progress bar, then one line or one JSON object."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

import uvloop
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.adapters.kafka.security import Cluster
from app.domain.transaction import Transaction
from app.domain.words import duration
from app.rendering.console import SafeConsole
from app.traffic.produce import Produced, Record, produce, produce_raw

LATE_SECONDS = 1.0
"""Delay from which a paced sender has not kept its rate."""


def send(
    transactions: Iterable[Transaction],
    *,
    topic: str,
    kafka: Cluster,
    rate: float | None,
    total: int | None = None,
) -> Produced:
    """Send with a progress bar, and warn on standard error when the rate was not kept."""
    with _progress("produced", total) as on_progress:
        sending = produce(transactions, topic=topic, kafka=kafka, rate=rate, on_progress=on_progress)
        produced = uvloop.run(sending)
    return _in_time(produced)


def send_records(records: Iterable[Record], *, topic: str, kafka: Cluster, rate: float | None) -> Produced:
    """Like ``send``, for raw keys and values."""
    with _progress("sent", None) as on_progress:
        sending = produce_raw(records, topic=topic, kafka=kafka, rate=rate, on_progress=on_progress)
        produced = uvloop.run(sending)
    return _in_time(produced)


def _progress(what: str, total: int | None) -> AbstractContextManager[Callable[[int], None]]:
    # aiokafka logs ten lines per second while a broker is down; a failure that matters is raised as SendFailed.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return progress_bar(what, total)


def _in_time(produced: Produced) -> Produced:
    if produced.late_seconds > LATE_SECONDS:
        SafeConsole(stderr=True).print(
            f"The rate was not kept: a transaction was sent {duration(produced.late_seconds)} late."
        )
    return produced


def describe(produced: Produced, topic: str, *, as_json: bool, what: str = "transactions") -> str:
    """Return the last line that a sending command prints."""
    if as_json:
        return json.dumps(produced.summary())
    return (
        f"{produced.produced:,} {what} sent to {topic} in {duration(produced.seconds)} "
        f"({produced.events_per_s:,.0f} per second)"
    )


@contextmanager
def progress_bar(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes the count so far. Draws on a console only."""
    console = SafeConsole(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.update(task, completed=count)
