"""Change events in Avro through Apicurio Registry: a real worker and the commands read them like those in JSON.

Their schemas are those of Kafka Connect's Avro converters, and Confluent's own serializer encodes them; no Kafka Connect runs.
"""

import asyncio
import json
import time
from base64 import b64encode
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.adapters.schema_registry.registry_extra import require_extra
from app.local.state import Stack
from tests.support.commands import call
from tests.support.deployment import Deployment
from tests.support.registry_clients import Clients, deployed
from tests.support.wire import debezium_avro as debezium

require_extra("this test")

from confluent_kafka.serialization import MessageField  # noqa: E402  # after the extra, which warns otherwise

pytestmark = pytest.mark.integration

COLUMNS = {
    "transaction_id": "string",
    "customer_id": "string",
    "terminal_id": "string",
    "event_time": debezium.MICRO_TIMESTAMP,
    "amount": debezium.numeric(3),
    "currency": "string",
    "device_id": debezium.optional("string"),
}
MAPPING = 'amount = "major"\ntime_unit = "us"\nnumeric_scale = 3\n[columns]\namount_minor = "amount"\n'
NOW_US = time.time_ns() // 1_000
ROWS = 12


def row(number: int, prefix: str) -> dict[str, Any]:
    """A row with a CHAR(8) terminal; amounts in three decimals."""
    return {
        "transaction_id": f"{prefix}-{number}",
        "customer_id": f"c{number % 3}",
        "terminal_id": "m1      ",
        "event_time": NOW_US - 1_000_000 * (ROWS - number),
        "amount": Decimal(number * 100_000 + 12_500).scaleb(-3),
        "currency": "EUR",
        "device_id": None,
    }


def in_json(event: dict[str, Any]) -> bytes:
    """What the JSON converter writes: the bytes of a DECIMAL as base64."""
    after = event["after"] and event["after"] | {"amount": _base64(event["after"]["amount"])}
    return json.dumps(event | {"after": after, "before": None}).encode()


def _base64(number: Decimal) -> str:
    return b64encode(debezium.unscaled(number)).decode()


def send(clients: Clients) -> None:
    """Each row once in each format, with later changes, a tombstone, and keys that are not plain."""
    in_avro = clients.rows(debezium.envelope_schema(COLUMNS))
    for number in range(ROWS):
        op = "r" if number % 2 else "c"
        for prefix, encode in (("avro", in_avro), ("json", in_json)):
            inserted = row(number, prefix)
            key = inserted["customer_id"]
            clients.send_bytes(key, encode(debezium.envelope(op, inserted)))
            if number < 3:
                clients.send_bytes(key, encode(debezium.envelope("u", inserted, inserted)))
                clients.send_bytes(key, encode(debezium.envelope("d", None, inserted)))
                clients.send_bytes(key, None)
    keys = clients.rows({"type": "string"}, MessageField.KEY)("c0"), b'{"customer_id": "c0"}', b"c0      "
    for key in keys:
        clients.send_bytes(key, in_avro(debezium.envelope("c", row(0, "misplaced"))))
    lost = row(0, "unavailable") | {"device_id": "__debezium_unavailable_value"}
    clients.send_bytes("c0", in_avro(debezium.envelope("c", lost)))


async def test_change_events_in_avro_are_decided_like_those_in_json(
    registered_stack: Stack, models: Path, tmp_path: Path
) -> None:
    (tmp_path / "table.toml").write_text(MAPPING, encoding="utf-8")
    cdc = {"FRAUDSTREAM_CDC_MAPPING": str(tmp_path / "table.toml")}
    with deployed(registered_stack, models, tmp_path) as deployment:
        await deployment.ensure_topics()
        deployment.worker(**cdc).start()
        await asyncio.to_thread(send, Clients(deployment))
        await deployment.drained()

        decided = {name: each["transaction"] for name, (each,) in (await deployment.decisions()).items()}
        expected = {
            f"{prefix}-{number}": (f"c{number % 3}", "m1", number * 10_000 + 1_250)
            for number in range(ROWS)
            for prefix in ("avro", "json")
        }
        assert expected == {
            name: (each["customer_id"], each["terminal_id"], each["amount_minor"])
            for name, each in decided.items()
        }
        for number in range(ROWS):
            assert decided[f"avro-{number}"]["event_time"] == decided[f"json-{number}"]["event_time"]
        assert ["key_mismatch"] * 3 + ["missing_field"] == await reasons(deployment)
        assert 0 == call(deployment, "state", "verify", **cdc).returncode


async def reasons(deployment: Deployment) -> list[str]:
    dead = await deployment.read(deployment.settings.topics.dead_letters)
    return sorted(dict(record.headers)["fraud.error.code"].decode() for record in dead)
