"""Entries from a file: checked before anything is written, with the line of what is refused."""

from pathlib import Path

import pytest

from app.errors import CardNumbersFound, InvalidFile
from app.lists.changes import MOST_ENTRIES
from app.operations.list_files import entries_of

CARD = "4111111111111111"


def read(
    tmp_path: Path, content: bytes, name: str = "entries.txt", column: str | None = None
) -> list[list[str]]:
    file = tmp_path / name
    file.write_bytes(content)
    return list(entries_of(file, column, 1024))


def test_one_entry_a_line(tmp_path: Path) -> None:
    content = "\ufeffd1\r\n  d2 \n\nÉ-3\n   \nwith space".encode()

    assert read(tmp_path, content) == [["d1", "d2", "É-3", "with space"]]


def test_millions_come_in_groups_of_a_record(tmp_path: Path) -> None:
    lines = "".join(f"device-{number}\n" for number in range(2 * MOST_ENTRIES + 1))

    assert [len(group) for group in read(tmp_path, lines.encode())] == [MOST_ENTRIES, MOST_ENTRIES, 1]


@pytest.mark.parametrize(
    ("content", "column"),
    [
        (b"device\nd1\nd2\n", None),
        (b'when,device\n1,d1\n2,"d2"\n', "device"),
        (b"device\nd1\n\n d2 ", "device"),
    ],
)
def test_a_column_of_csv(tmp_path: Path, content: bytes, column: str | None) -> None:
    assert read(tmp_path, content, "entries.csv", column) == [["d1", "d2"]]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"d1\nd\xff2\n", "x.txt", "x.txt:2: not UTF-8"),
        (b"d1\n\n" + b"d" * 257, "x.txt", "x.txt:3: an entry has at most 256 characters, this one 257"),
        (b"d" * 2_000, "x.txt", "x.txt:1: the line is longer than FRAUDSTREAM_FILES_LINE_BYTES=1024"),
        ("d1\nd\u202e2".encode(), "x.txt", "x.txt:2: `d.u202e2` has a character that cannot be printed"),
        (b"device 4111 1111 1111 1111", "x.txt", "x.txt:1: it contains a card number"),
        (b"when,device\n1,d1\n", "x.csv", "x.csv: give --column, one of when, device"),
        (b"", "x.csv", "x.csv: give --column, one of none: the file is empty"),
        (b'device\n"d1', "x.csv", "x.csv:2: unexpected end of data"),
    ],
)
def test_what_is_refused_is_named_by_its_line(
    tmp_path: Path, content: bytes, name: str, message: str
) -> None:
    with pytest.raises(InvalidFile, match=message):
        read(tmp_path, content, name)


def test_a_row_without_the_column_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"x\.csv:3: the row has 1 columns, the head 2"):
        read(tmp_path, b"when,device\n1,d1\n2\n", "x.csv", "device")
    with pytest.raises(InvalidFile, match="cannot be read: No such file"):
        list(entries_of(tmp_path / "missing.txt", None, 1024))


def test_numeric_ids_are_entries_and_card_numbers_are_not(tmp_path: Path) -> None:
    ids = "".join(f"{4_111_111_111_111_000 + number}\n" for number in range(100))
    cards = "".join(f"{number}\n" for number in valid_numbers(10))

    assert sum(map(len, read(tmp_path, ids.encode()))) == 100
    with pytest.raises(CardNumbersFound, match="nothing was written"):
        read(tmp_path, cards.encode())


def valid_numbers(count: int) -> list[str]:
    """Numbers of the length and prefix of a card with a valid check digit."""
    found = []
    for number in range(count):
        body = f"411111111111{number:03}"
        doubled = [int(digit) * (1 + (at % 2 == 0)) for at, digit in enumerate(body)]
        total = sum(value - 9 if value > 9 else value for value in doubled)
        found.append(f"{body}{-total % 10}")
    assert CARD in {*found, CARD}
    return found
