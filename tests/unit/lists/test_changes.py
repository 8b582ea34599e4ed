"""The contract of the records of lists."""

from typing import Any

import msgspec
import pytest

from app.lists.changes import MOST_ENTRIES, ListChange

GOOD = {
    "list": "blocked_devices",
    "entries": ["d1"],
    "action": "add",
    "reason": "case 4711",
    "author": "analyst",
    "at": 1_700_000_000_000,
}


def decoded(**fields: Any) -> ListChange:
    return msgspec.json.decode(msgspec.json.encode(GOOD | fields), type=ListChange)


def test_a_change_reads_back_from_its_record() -> None:
    given = decoded(valid_from_ms=5, valid_to_ms=6)

    assert msgspec.json.decode(msgspec.json.encode(given), type=ListChange) == given
    assert msgspec.json.decode(msgspec.json.encode(decoded())) == GOOD


@pytest.mark.parametrize(
    "fields",
    [
        {"list": ""},
        {"list": "blocked devices"},
        {"list": "9lives"},
        {"list": "a" * 65},
        {"entries": []},
        {"entries": ["d"] * (MOST_ENTRIES + 1)},
        {"entries": [""]},
        {"entries": ["d" * 257]},
        {"entries": ["a\nb"]},
        {"entries": ["a\u202eb"]},
        {"entries": [7]},
        {"action": "replace"},
        {"reason": ""},
        {"reason": "r" * 1_001},
        {"author": ""},
        {"at": -1},
        {"valid_from_ms": 5, "valid_to_ms": 5},
        {"valid_to_ms": 0},
        {"action": "remove", "valid_to_ms": 5},
        {"action": "remove", "valid_from_ms": 5},
    ],
)
def test_what_does_not_keep_the_contract_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded(**fields)


@pytest.mark.parametrize("field", GOOD)
def test_every_field_but_the_validity_is_required(field: str) -> None:
    record = {name: value for name, value in GOOD.items() if name != field}

    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(record), type=ListChange)
