"""The published schemas are those of the code, and say what the contract says."""

from pathlib import Path

from app.adapters.json_schemas import documents, schema
from app.domain.decision import Alert
from app.domain.transaction import Transaction

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas"


def test_the_published_schemas_are_those_of_the_code() -> None:
    published = {path.name: path.read_text(encoding="utf-8") for path in PUBLISHED.iterdir()}

    assert documents() == published, "run `python -m app.adapters.json_schemas docs/schemas`"


def test_a_transaction_requires_what_the_contract_requires() -> None:
    transaction = schema(Transaction)["$defs"]["Transaction"]

    assert {
        "transaction_id", "customer_id", "terminal_id", "event_time", "amount_minor", "currency"
    } == set(transaction["required"])  # fmt: skip
    assert transaction["properties"]["amount_minor"]["type"] == "integer"


def test_an_alert_is_a_decision_with_an_id_and_a_snapshot_of_its_own() -> None:
    definitions = schema(Alert)["$defs"]

    assert {"alert_id", "snapshot", "decision_id", "score", "source"} <= set(definitions["Alert"]["required"])
