"""The published schemas are those of the code, and say what the contract says."""

import json

import pytest
from fastavro import parse_schema

from app.adapters.serde.event_types import EVENTS, fields
from app.adapters.serde.json_schemas import schema
from app.adapters.serde.protobuf_numbers import NUMBERS
from app.adapters.serde.protobuf_schemas import messages, text
from app.adapters.serde.published_schemas import documents
from app.domain.decision import Alert
from app.domain.transaction import Transaction
from tests.support.paths import REPOSITORY

PUBLISHED = REPOSITORY / "docs" / "schemas"


def test_the_published_schemas_are_those_of_the_code() -> None:
    published = {path.name: path.read_text(encoding="utf-8") for path in PUBLISHED.iterdir()}

    assert documents() == published, "run `python -m app.adapters.serde.published_schemas docs/schemas`"


def test_a_transaction_requires_what_the_contract_requires() -> None:
    transaction = schema(Transaction)["$defs"]["Transaction"]

    assert {
        "transaction_id", "customer_id", "terminal_id", "event_time", "amount_minor", "currency"
    } == set(transaction["required"])  # fmt: skip
    assert transaction["properties"]["amount_minor"]["type"] == "integer"


def test_an_alert_is_a_decision_with_an_id_and_a_snapshot_of_its_own() -> None:
    definitions = schema(Alert)["$defs"]

    assert {"alert_id", "snapshot", "decision_id", "score", "source"} <= set(definitions["Alert"]["required"])


@pytest.mark.parametrize("topic", EVENTS)
def test_avro_asks_for_what_json_asks_for(topic: str) -> None:
    """And nothing else: a field that may be left out has a default."""
    written = json.loads((PUBLISHED / f"{topic}.avsc").read_text(encoding="utf-8"))
    parse_schema(written)

    nullable = {field["name"] for field in written["fields"] if isinstance(field["type"], list)}
    assert {field.name for field in fields(EVENTS[topic]) if field.required} - nullable == {
        field["name"] for field in written["fields"] if "default" not in field
    }


@pytest.mark.parametrize("message", NUMBERS)
def test_no_number_is_given_twice(message: str) -> None:
    numbers = list(NUMBERS[message].values())

    assert sorted(set(numbers)) == sorted(numbers)


def test_a_field_that_was_removed_keeps_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NUMBERS["Label"], "reviewer", 10)

    assert '  reserved 10; reserved "reviewer";\n' in text(EVENTS["fraud.labels.v1"])


def test_every_message_of_every_event_has_its_numbers() -> None:
    used = {name for event in EVENTS.values() for name in messages(event)}

    assert set(NUMBERS) == used
