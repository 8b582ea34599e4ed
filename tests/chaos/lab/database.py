"""Postgres on a host of its own, and Kafka Connect on another, which streams the bank's table to the brokers."""

import asyncio
import dataclasses
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from app.local import connect, postgres
from app.local.cluster import Cluster, Node
from app.local.ports import HOST
from tests.chaos.lab.network import SUBNET, Host
from tests.chaos.lab.services import wait_until_answering
from tests.chaos.traffic import Sent
from tests.support.bank import Bank, Row

POSTGRES_PORT, CONNECT_PORT = 5432, 8083
MINOR = 100
"""Cents of a euro, the only currency of the traffic."""
_ALLOW = "".join(f"host {database} all {SUBNET}.0/24 scram-sha-256\n" for database in ("all", "replication"))


class Servers(NamedTuple):
    """Both servers, running."""

    database: Host
    connect: Host
    urls: dict[str, str]
    processes: list[subprocess.Popen[bytes]]


def start(
    database: Host, streaming: Host, bootstrap_servers: str, nodes: tuple[int, ...], directory: Path
) -> Servers:
    """Start Postgres, then Kafka Connect; return when both answer."""
    ports = {postgres.NAME: POSTGRES_PORT, connect.NAME: CONNECT_PORT}
    described = Cluster("", tuple(map(Node, nodes)), extra_ports=ports)
    (directory / "logs").mkdir(exist_ok=True)
    stored = postgres.part(directory, described)
    secret = postgres.password(directory)
    urls = {
        postgres.NAME: postgres.url(POSTGRES_PORT, secret).replace(HOST, database.address),
        connect.NAME: connect.url(CONNECT_PORT).replace(HOST, streaming.address),
    }
    with (directory / postgres.NAME / "data" / "pg_hba.conf").open("a", encoding="ascii") as rules:
        rules.write(_ALLOW)
    words = [word.replace(HOST, database.address) for word in stored.command]
    processes = [_begin(database, stored.log, words, lambda: postgres.answers(urls[postgres.NAME]))]
    streamed = connect.part(directory, described)
    properties = Path(streamed.command[-1])
    text = properties.read_text(encoding="utf-8").replace(HOST, streaming.address)
    # The last of two entries counts.
    properties.write_text(f"{text}bootstrap.servers={bootstrap_servers}\n", encoding="utf-8")
    variables = [f"{name}={value}" for name, value in streamed.environment.items()]
    words = [word.replace(HOST, database.address) for word in ("env", *variables, *streamed.command)]
    processes.append(_begin(streaming, streamed.log, words, lambda: connect.answers(urls[connect.NAME])))
    return Servers(database, streaming, urls, processes)


def _begin(host: Host, log: Path, words: list[str], answers: Callable[[], bool]) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        process = subprocess.Popen(host.command(*words), stdout=output, stderr=output)  # noqa: S603  # our own list
    wait_until_answering(answers, f"{host.name}, see {log}")
    return process


async def insert(bank: Bank, records: Iterator[Sent], rate: float) -> None:
    """Insert rows at a fixed rate, each in a database transaction of its own."""
    begun = time.monotonic()
    for number, record in enumerate(records):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        bank.insert([row(record)])


def row(record: Sent) -> Row:
    """The row of a transaction."""
    fields = json.loads(record.value or b"")
    return Row(
        fields["transaction_id"],
        fields["customer_id"],
        fields["terminal_id"],
        datetime.fromtimestamp(fields["event_time"] / 1000, UTC),
        Decimal(fields["amount_minor"]) / MINOR,
        fields["currency"],
    )


class _Change(msgspec.Struct):
    after: dict[str, Any]


def as_sent(record: Any) -> Any:
    """The record of the transaction that a direct producer would have sent for a change event of an inserted row."""
    after = msgspec.json.decode(record.value, type=_Change).after
    fields = {
        **after,
        "event_time": round(datetime.fromisoformat(after["event_time"]).timestamp() * 1000),
        "amount_minor": int(Decimal(after["amount"]) * MINOR),
    }
    return dataclasses.replace(record, value=json.dumps(fields).encode())
