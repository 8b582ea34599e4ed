"""Writes to the bank's table `transactions` (deploy/connect/bank.sql) as an application does: one row per commit."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Self

import psycopg

from app.domain.money import minor_digits
from app.domain.transaction import Transaction
from app.domain.words import named
from app.errors import ConfigurationError
from app.shipped import folder
from app.traffic.pacing import Pace

COLUMNS = (
    *("transaction_id", "customer_id", "terminal_id", "event_time", "amount", "currency"),
    *("channel", "mcc", "country", "device_id", "card_token", "latitude", "longitude"),
)
_NAMES = ", ".join(COLUMNS)
_INSERT = f"INSERT INTO transactions ({_NAMES}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608  # constants
_COPY = f"COPY transactions ({_NAMES}) FROM STDIN"
OnSend = Callable[[str, int], None]
"""Receives the transaction id of a row, and the time right before it was sent to the database, ns since the epoch."""


def example(name: str) -> Path:
    """Return the path of a file in deploy/connect."""
    return folder("deploy") / "connect" / name


class BankTable:
    """One connection to the bank's database. Raises ConfigurationError when it cannot be opened."""

    def __init__(self, database: str) -> None:
        try:
            self._connection = psycopg.connect(database, autocommit=True)
        except psycopg.Error as error:
            raise ConfigurationError(
                f"the bank's database cannot be reached ({named(error)}). Check --database."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def create(self) -> None:
        """Create the tables that are missing."""
        self._connection.execute(example("bank.sql").read_bytes())

    def count(self) -> int:
        found = self._connection.execute("SELECT count(*) FROM transactions").fetchone()
        return int(found[0]) if found else 0

    def load(self, transactions: Iterable[Transaction]) -> int:
        """Insert all transactions with one COPY and return their number."""
        number = 0
        with self._connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for transaction in transactions:
                copy.write_row(row(transaction))
                number += 1
        return number

    def insert(self, transactions: Iterable[Transaction], rate: float, on_send: OnSend) -> None:
        """Insert transactions one by one, ``rate`` per second, each committed before the next."""
        pace = Pace(start_seconds=time.monotonic(), rate=rate)
        for number, transaction in enumerate(transactions):
            time.sleep(max(0.0, pace.due_seconds(number) - time.monotonic()))
            on_send(transaction.transaction_id, time.time_ns())
            self._connection.execute(_INSERT, row(transaction))

    def delete(self, prefix: str) -> None:
        """Delete the rows whose transaction id starts with ``prefix``."""
        self._connection.execute("DELETE FROM transactions WHERE starts_with(transaction_id, %s)", [prefix])


def row(transaction: Transaction) -> list[object]:
    """Return the values in the order of COLUMNS: the amount in major units as a decimal, the time as a datetime."""
    amount = Decimal(transaction.amount_minor).scaleb(-minor_digits(transaction.currency))
    instant = datetime.fromtimestamp(transaction.event_time // 1_000, UTC).replace(
        microsecond=transaction.event_time % 1_000 * 1_000
    )
    converted = {"event_time": instant, "amount": amount}
    return [converted[name] if name in converted else getattr(transaction, name) for name in COLUMNS]
