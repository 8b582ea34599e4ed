"""`fraudstream cdc demo`: inserts rows into a table with SQL and prints the alerts from Kafka."""

import asyncio
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.tail_reader import open_tail_reader
from app.demo.bank import Bank, open_bank
from app.demo.folder import fresh
from app.demo.plan import Plan
from app.demo.traffic import Event, history, live, renamed
from app.domain.decision import Alert
from app.domain.transaction import Transaction
from app.errors import StackError
from app.rendering.console import SafeConsole
from app.rendering.decision_text import as_line
from app.settings import Settings
from app.traffic.insert_latency import InsertLatency, measure

SNAPSHOT_SECONDS = 300.0
POLL_SECONDS = 0.2
CUSTOMERS = 300
_alert = BoundedDecoder(Alert)


def run(plan: Plan, rows: int, settings: Settings, console: SafeConsole) -> InsertLatency:
    """Run the demo, print alerts as they arrive, and return the latencies."""
    # A topic created a moment ago has no leader yet: aiokafka logs an error and retries.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    directory = fresh(plan.directory)
    console.print("starting Postgres, Kafka, Kafka Connect with Debezium, Redis …", highlight=False)
    with open_bank(directory, settings) as bank:
        begin(bank, plan, console)
        console.print(f"inserting {rows:,} rows, {plan.rate:,.0f} per second:", highlight=False)

        def show(record: Any) -> None:
            if (alert := _alert.attempt(record.value)) is not None:
                console.print(as_line(alert), soft_wrap=True)

        new = islice(numbered(live(plan, today()), "live"), rows)
        return asyncio.run(measure(bank.settings, bank.table, new, plan.rate, show))


def begin(bank: Bank, plan: Plan, console: SafeConsole) -> None:
    """Fill the table with some weeks of history and wait until all rows of the connector's snapshot are decided."""
    began = time.monotonic()
    loaded = bank.table.load(numbered(history(plan, today()), "history"))
    console.print(f"{loaded:,} rows are in the table; the connector reads them first …", highlight=False)
    bank.stream()
    asyncio.run(_decided(bank, loaded))
    console.print(f"all decided after {time.monotonic() - began:.0f} s", highlight=False)


def today() -> Any:
    """Return the present day in UTC."""
    return datetime.now(UTC).date()


def numbered(events: Iterator[Event], prefix: str) -> Iterator[Transaction]:
    """Give each transaction an id of its own, because the id is the primary key of the table."""
    for number, event in enumerate(events):
        yield renamed(event, f"{prefix}-{number}").transaction


async def _decided(bank: Bank, expected: int) -> None:
    deadline = time.monotonic() + SNAPSHOT_SECONDS
    async with open_tail_reader(
        bank.settings.kafka, [bank.settings.topics.decisions], from_beginning=False
    ) as reader:
        while sum((await reader.ends()).values()) < expected:
            if bank.worker.exit_code is not None or time.monotonic() > deadline:
                raise StackError(f"the snapshot is not decided. {bank.worker.log_end()}")
            await asyncio.sleep(POLL_SECONDS)
