"""The bank's database under test: rows as an application writes them, and the connectors that stream them."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from tests.support.commands import call
from tests.support.deployment import Deployment
from tests.support.paths import REPOSITORY

DEPLOY = REPOSITORY / "deploy" / "connect"
MAPPING = DEPLOY / "transactions.toml"
SECONDS = 120
COLUMNS = "transaction_id, customer_id, terminal_id, event_time, amount, currency"
DECIMALS = {"EUR": 2, "JPY": 0, "KWD": 3}


class Row(NamedTuple):
    """A row of the table of transactions."""

    transaction_id: str
    customer_id: str
    terminal_id: str
    event_time: datetime
    amount: Decimal
    currency: str

    @property
    def amount_minor(self) -> int:
        return int(self.amount * 10 ** DECIMALS[self.currency])

    @property
    def event_time_ms(self) -> int:
        return int(self.event_time.timestamp() * 1_000)


def rows(count: int, prefix: str, seed: int = 7, customers: int = 40) -> Iterator[Row]:
    random, now = Random(seed), datetime.now(UTC).replace(microsecond=0)
    for number in range(count):
        currency = random.choice([*DECIMALS])
        minor = random.randrange(1, 100_000)
        yield Row(
            f"{prefix}-{number}",
            f"c{random.randrange(customers)}",
            f"m{random.randrange(9)}",
            now - timedelta(milliseconds=(count - number) * 1_000 + random.randrange(1_000)),
            Decimal(minor).scaleb(-DECIMALS[currency]),
            currency,
        )


class Bank:
    """A Postgres database and the Kafka Connect that streams it."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self.urls = urls
        self.inserted: list[Row] = []
        self._connection = psycopg.connect(self.urls["postgres"], autocommit=True)
        self._connection.execute((DEPLOY / "bank.sql").read_bytes())

    def insert(self, new: Iterable[Row]) -> None:
        """Insert each row in a database transaction of its own, as an application does."""
        for row in new:
            self.execute(f"INSERT INTO transactions ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s)", *row)  # noqa: S608  # constants
            self.inserted.append(row)

    def execute(self, statement: str, *values: Any) -> None:
        self._connection.execute(statement.encode(), values)

    def one(self, statement: str, *values: Any) -> Any:
        found = self._connection.execute(statement.encode(), values).fetchone()
        assert found is not None
        return found[0]

    def wal(self) -> str:
        """The position of the write-ahead log."""
        return str(self.one("SELECT pg_current_wal_lsn()"))

    async def confirmed(self, wal: str) -> None:
        """Return when the transactions' connectors have stored a position past ``wal``: earlier rows are not sent again."""
        question = (
            "SELECT bool_and(confirmed_flush_lsn >= %s::pg_lsn) FROM pg_replication_slots "
            "WHERE starts_with(slot_name, 'fraudstream_transactions')"
        )
        deadline = time.monotonic() + SECONDS
        while not self.one(question, wal):
            assert time.monotonic() < deadline, "the connectors do not confirm what they have sent"
            await asyncio.sleep(0.2)

    def register(
        self, deployment: Deployment, file: str, changed: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Start the connector of the file, with some options changed."""
        topic = {"transforms.topic.replacement": deployment.settings.topics.transactions}
        options = (f"{name}={value}" for name, value in (topic | dict(changed)).items())
        self._register(deployment, file, *(word for option in options for word in ("--set", option)))

    def register_reference(self, deployment: Deployment) -> None:
        self._register(deployment, "reference.json")

    def _register(self, deployment: Deployment, file: str, *options: str) -> None:
        path: Path = DEPLOY / file
        done = call(
            deployment,
            *("cdc", "register", str(path), *options),
            FRAUDSTREAM_CDC_CONNECT_URL=self.urls["connect"],
        )
        assert done.returncode == 0, done.stderr.decode()

    def all(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table."""
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(f"SELECT * FROM {table}".encode()).fetchall()  # noqa: S608  # of ours

    def close(self) -> None:
        self._connection.close()


async def decided(deployment: Deployment, inserted: list[Row]) -> None:
    """Return when each row has a decision."""
    expected, deadline = {row.transaction_id for row in inserted}, time.monotonic() + SECONDS
    while missing := expected - set(await deployment.decisions()):
        deployment.require_workers()
        assert time.monotonic() < deadline, f"{len(missing)} rows are not decided\n{deployment.tails()}"
        await asyncio.sleep(0.5)


async def change(bank: Bank) -> None:
    """What must not be scored: rows are settled, deleted, moved to another customer."""
    by_id = {row.transaction_id: row for row in bank.inserted}
    for name in islice(by_id, 0, 30):
        bank.execute("UPDATE transactions SET status = 'settled' WHERE transaction_id = %s", name)
    for name in islice(by_id, 30, 40):
        bank.execute("DELETE FROM transactions WHERE transaction_id = %s", name)
    for name in islice(by_id, 40, 45):
        bank.execute("UPDATE transactions SET customer_id = 'moved' WHERE transaction_id = %s", name)
