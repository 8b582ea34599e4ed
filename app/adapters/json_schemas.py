"""JSON Schemas of every event, generated from the domain: ``python -m app.adapters.json_schemas docs/schemas``."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from app.domain.decision import Alert, Decision
from app.domain.label import Label
from app.domain.transaction import Transaction

DIALECT = "https://json-schema.org/draft/2020-12/schema"

EVENTS: dict[str, type[msgspec.Struct]] = {
    "payments.transactions.v1": Transaction,
    "fraud.decisions.v1": Decision,
    "fraud.alerts.v1": Alert,
    "fraud.labels.v1": Label,
}
"""By the default name of the topic that carries them."""


def schema(event: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of one event; what it refers to stands under ``$defs``."""
    (reference,), components = msgspec.json.schema_components([event], ref_template="#/$defs/{name}")
    return {"$schema": DIALECT, **reference, "$defs": components}


def documents() -> dict[str, str]:
    """Every schema's file name and text."""
    return {
        f"{topic}.schema.json": json.dumps(schema(event), indent=2, ensure_ascii=False) + "\n"
        for topic, event in EVENTS.items()
    }


def main(directory: Path) -> None:
    """Write them all."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
