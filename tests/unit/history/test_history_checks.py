"""A file is checked by columns first; only batches with suspicious rows are checked row by row."""

import json
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.adapters.column_mapping import CONTRACT, ColumnMapping
from app.adapters.tabular.batches import TransactionBatch, encoded
from app.adapters.tabular.files import DEFAULT_BATCH_ROWS
from app.catalog.definitions import Field
from app.domain.acceptance import TEXT_FIELDS, Acceptance
from app.errors import InvalidEvent, InvalidFile
from app.expressions.names import Kind
from app.features.window import DAY_MS, Bounds
from app.history.feature_fold import release_fold
from app.history.fold_history import HistorySource, _suspects, fold_history

NOW_MS = 1_760_000_000_000
CARD = "4111 1111 1111 1111"
STRICT = Acceptance(numeric_ids=frozenset())
SOURCE = HistorySource(path=Path("history.jsonl"), mapping=CONTRACT, acceptance=STRICT, now_ms=NOW_MS)
EARLIEST_MS, LATEST_MS = 946_684_800_000, NOW_MS + 300_000
CARDS = [
    "4111111111111111",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "6759649826438453",
    CARD,
]


def mostly_digits() -> st.SearchStrategy[str]:
    """Texts of digits and separators, including valid card numbers."""
    pieces = st.one_of(
        st.sampled_from(CARDS),
        st.text("0123456789 -", max_size=25),
        st.text(max_size=3),
        st.text("4 -1", max_size=25),
    )
    return st.lists(pieces, min_size=1, max_size=4).map("".join).filter(lambda text: text != "")


def a_batch(times: list[int], texts: dict[str, list[str | None]]) -> TransactionBatch:
    count = len(times)
    columns: dict[str, Any] = {name: pa.array(texts[name], pa.string()) for name in TEXT_FIELDS}
    columns |= {name: encoded(columns[name]) for name in ("customer_id", "terminal_id")}
    return TransactionBatch(
        first_row=1,
        event_time=np.array(times),
        amount_minor=np.zeros(count, np.int64),
        currency=pa.array(["EUR"] * count),
        **columns,
    )


@st.composite
def batches(draw: st.DrawFn) -> TransactionBatch:
    count = draw(st.integers(1, 5))
    edges = [edge + step for edge in (EARLIEST_MS, LATEST_MS) for step in (-1, 0, 1)]
    times = draw(st.lists(st.sampled_from([*edges, NOW_MS, 0, 2**62]), min_size=count, max_size=count))
    texts: dict[str, list[str | None]] = {}
    for name in TEXT_FIELDS:
        required = name.endswith("_id") and name != "device_id"
        text = mostly_digits() if required else st.one_of(st.none(), mostly_digits())
        texts[name] = draw(st.lists(text, min_size=count, max_size=count))
    return a_batch(times, texts)


def refused(batch: TransactionBatch) -> list[bool]:
    """Apply the rule to each row."""
    found = []
    for transaction in batch.transactions():
        try:
            SOURCE.acceptance.check(transaction, key=None, reference_ms=SOURCE.now_ms)
        except InvalidEvent:
            found.append(True)
        else:
            found.append(False)
    return found


@given(batches())
@example(a_batch([NOW_MS], {name: [CARD] for name in TEXT_FIELDS}))
def test_every_refused_row_is_suspicious(batch: TransactionBatch) -> None:
    suspects = _suspects(batch, SOURCE).tolist()

    assert [row for row, wrong in enumerate(refused(batch)) if wrong and not suspects[row]] == []


@pytest.mark.parametrize("name", TEXT_FIELDS)
@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_in_any_text_is_suspicious(name: str, card: str) -> None:
    texts: dict[str, list[str | None]] = {other: ["a", "b"] for other in TEXT_FIELDS}

    batch = a_batch([NOW_MS] * 2, texts | {name: ["a", f"id:{card};"]})

    assert [False, True] == _suspects(batch, SOURCE).tolist() == refused(batch)


@pytest.mark.parametrize(
    ("time_ms", "suspicious"),
    [(EARLIEST_MS - 1, True), (EARLIEST_MS, False), (LATEST_MS, False), (LATEST_MS + 1, True)],
)
def test_a_time_is_suspicious_when_it_is_refused(time_ms: int, suspicious: bool) -> None:
    batch = a_batch([time_ms], {name: ["a"] for name in TEXT_FIELDS})

    assert [suspicious] == _suspects(batch, SOURCE).tolist() == refused(batch)


def test_ordinary_identifiers_are_not_suspicious() -> None:
    """A single suspicious row makes the whole batch take the slow path."""
    names = ["c-12", "7f2c9a51-88d0-4b6e-9a43-0d1c7be2f190", "terminal 0123456789", "2025-10-09 08:53:20"]
    batch = a_batch([NOW_MS] * 4, {name: list(names) for name in TEXT_FIELDS})

    assert not _suspects(batch, SOURCE).any()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"card_token": CARD}, "`card_token` looks like"),
        ({"channel": CARD}, "`channel` looks like"),
        ({"event_time": 1_760_000_000}, "event_time lies before"),
        ({"event_time": NOW_MS + 10**9}, "event_time lies ahead"),
    ],
)
@pytest.mark.parametrize("row", [1, 2, 700])
def test_a_row_out_of_contract_is_named(
    row: int, change: dict[str, object], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidFile, match=f"history.jsonl, row {row}: {reason}") as error:
        fold_all(a_file(tmp_path, row, change))

    assert "4111" not in str(error.value)


def test_a_card_number_in_a_declared_text_is_named(tmp_path: Path) -> None:
    payee = Field(name="payee_note", kind=Kind.TEXT)
    mapping = msgspec.structs.replace(CONTRACT, declared=(payee,))

    with pytest.raises(InvalidFile, match="row 2: `payee_note` looks like"):
        fold_all(a_file(tmp_path, 2, {"payee_note": CARD}), mapping=mapping)
    fold_all(a_file(tmp_path, 2, {"payee_note": "rent"}), mapping=mapping)


def test_a_row_out_of_contract_is_named_in_a_later_batch(tmp_path: Path) -> None:
    row = DEFAULT_BATCH_ROWS + 7

    with pytest.raises(InvalidFile, match=f"row {row}: `channel` looks like"):
        fold_all(a_file(tmp_path, row, {"channel": CARD}))


def test_honest_numeric_ids_are_scored_unless_their_field_is_strict(tmp_path: Path) -> None:
    random = Random(13)
    ids = [str(random.getrandbits(63)) for _ in range(3_000)]
    path = with_terminals(tmp_path, ids)

    with pytest.raises(InvalidFile, match=r"looks like a primary account number.*NUMERIC_IDS"):
        fold_all(path, STRICT)
    fold_all(path, Acceptance())


def test_card_numbers_as_ids_refuse_the_file(tmp_path: Path) -> None:
    path = with_terminals(
        tmp_path, ["m1", "4111111111111111", "4242424242424242", *CARDS[1:5], "5555555555554444"]
    )

    with pytest.raises(InvalidFile, match=r"history.jsonl: `terminal_id` holds card numbers: 7 of 7"):
        fold_all(path, Acceptance())


def with_terminals(directory: Path, terminals: list[str]) -> Path:
    sound = {"customer_id": "c1", "event_time": NOW_MS, "amount_minor": 1, "currency": "EUR"}
    rows = ({"transaction_id": f"t{i}", "terminal_id": text, **sound} for i, text in enumerate(terminals))
    path = directory / "history.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path


def a_file(directory: Path, row: int, change: dict[str, object]) -> Path:
    """A file with ``row`` and the next one changed; its first row is suspicious but valid."""
    sound = {
        "customer_id": "c1", "terminal_id": "m1", "event_time": NOW_MS, "amount_minor": 1, "currency": "EUR",
        "channel": "web", "device_id": "d1",
    }  # fmt: skip
    rows: list[dict[str, object]] = [{"transaction_id": f"t{i}", **sound} for i in range(1, row + 3)]
    rows[0]["transaction_id"] = "1234567890123"
    for changed in (row - 1, row):
        rows[changed] |= change
    path = directory / "history.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path


def fold_all(
    path: Path, acceptance: Acceptance = SOURCE.acceptance, mapping: ColumnMapping = CONTRACT
) -> None:
    source = HistorySource(path=path, mapping=mapping, acceptance=acceptance, now_ms=NOW_MS)
    for _ in fold_history(source, release_fold(Bounds(DAY_MS, 100))):
        pass
