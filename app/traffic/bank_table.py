"""The bank's table `transactions` (deploy/connect/bank.sql) as an application fills it: a row a database transaction."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Self

import psycopg

import app
from app.domain.money import minor_digits
from app.domain.transaction import Transaction
from app.errors import ConfigurationError
from app.traffic.pacing import Pace

_FOLDER = Path(app.__path__[0]).parent / "deploy" / "connect"
COLUMNS = (
    *("transaction_id", "customer_id", "terminal_id", "event_time", "amount", "currency"),
    *("channel", "mcc", "country", "device_id", "card_token", "latitude", "longitude"),
)
_NAMES = ", ".join(COLUMNS)
_INSERT = f"INSERT INTO transactions ({_NAMES}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608  # constants
_COPY = f"COPY transactions ({_NAMES}) FROM STDIN"
OnSend = Callable[[str, int], None]
"""Of a row's transaction id and the time, nanoseconds since the epoch, right before it was sent to the database."""


def example(name: str) -> Path:
    """A file of deploy/connect. Raises ConfigurationError outside of a checkout."""
    path = _FOLDER / name
    if not path.is_file():
        raise ConfigurationError(f"{path} is not there. Run this in a checkout of fraudstream.")
    return path


class BankTable:
    """One connection to the bank's database. Raises ConfigurationError when there is none."""

    def __init__(self, database: str) -> None:
        try:
            self._connection = psycopg.connect(database, autocommit=True)
        except psycopg.Error as error:
            raise ConfigurationError(
                f"the bank's database cannot be reached ({type(error).__name__}). Look at --database."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def create(self) -> None:
        """Its tables, where they are missing."""
        self._connection.execute(example("bank.sql").read_bytes())

    def count(self) -> int:
        found = self._connection.execute("SELECT count(*) FROM transactions").fetchone()
        return int(found[0]) if found else 0

    def load(self, transactions: Iterable[Transaction]) -> int:
        """All of them at once; how many."""
        number = 0
        with self._connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for transaction in transactions:
                copy.write_row(row(transaction))
                number += 1
        return number

    def insert(self, transactions: Iterable[Transaction], rate: float, told: OnSend) -> None:
        """One by one, ``rate`` a second, each committed before the next."""
        pace = Pace(start_seconds=time.monotonic(), rate=rate)
        for number, transaction in enumerate(transactions):
            time.sleep(max(0.0, pace.due_seconds(number) - time.monotonic()))
            told(transaction.transaction_id, time.time_ns())
            self._connection.execute(_INSERT, row(transaction))

    def delete(self, prefix: str) -> None:
        """The rows whose id begins so."""
        self._connection.execute("DELETE FROM transactions WHERE starts_with(transaction_id, %s)", [prefix])


def row(transaction: Transaction) -> list[object]:
    """In the order of COLUMNS: the amount as people write it, the time as a time."""
    amount = Decimal(transaction.amount_minor).scaleb(-minor_digits(transaction.currency))
    instant = datetime.fromtimestamp(transaction.event_time // 1_000, UTC).replace(
        microsecond=transaction.event_time % 1_000 * 1_000
    )
    known = {"event_time": instant, "amount": amount}
    return [known[name] if name in known else getattr(transaction, name) for name in COLUMNS]
