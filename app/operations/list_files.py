"""Reads the entries of a list from a file, and checks them before anything is written to the topic."""

import csv
import math
from collections.abc import Iterator
from io import BufferedReader
from itertools import islice
from pathlib import Path

from app.domain.card_evidence import FALSE_ALARM, evidence
from app.domain.card_number import SHORTEST, card_shaped, contains_card_number, has_valid_check_digit
from app.domain.safe_text import one_line
from app.errors import CardNumbersFound, InvalidFile
from app.lists.changes import MOST_ENTRIES, MOST_ENTRY_CHARACTERS


class EntryCheck:
    """Refuses what can be no entry, and card numbers."""

    def __init__(self) -> None:
        self._valid = self._invalid = 0

    def refusal(self, entry: str) -> str:
        """Why a text is no entry; empty where it is one. Raises CardNumbersFound where entries of digits are card numbers."""
        if len(entry) > MOST_ENTRY_CHARACTERS:
            return f"an entry has at most {MOST_ENTRY_CHARACTERS} characters, this one {len(entry):,}"
        if not entry.isprintable():
            return f"`{one_line(entry)}` has a character that cannot be printed"
        if len(entry) >= SHORTEST:
            if not entry.isdecimal() and contains_card_number(entry):
                return "it contains a card number: give the token that transactions have"
            self._count(entry)
        return ""

    def _count(self, entry: str) -> None:
        """Of numeric ids one in ten looks like a card number; of card numbers each does."""
        for digits in card_shaped(entry):
            valid = has_valid_check_digit(digits)
            self._valid += valid
            self._invalid += not valid
            if evidence(self._valid, self._invalid) >= -math.log(FALSE_ALARM):
                raise CardNumbersFound(
                    "the entries are card numbers. Give the tokens that transactions have; nothing was written"
                )


def entries_of(file: Path, column: str | None, line_bytes: int) -> Iterator[list[str]]:
    """The entries of a file in groups of MOST_ENTRIES: one a line, or a column of a ``.csv`` file with a head.

    Space around an entry and empty lines have no meaning. Raises InvalidFile with the line, and CardNumbersFound.
    """
    check = EntryCheck()
    try:
        with file.open("rb") as opened:
            lines = _decoded(opened, file, line_bytes)
            found = _of_column(lines, file, column) if file.suffix == ".csv" else enumerate(lines, 1)
            checked = (_checked(text, file, number, check) for number, text in found if text.strip())
            while group := list(islice(checked, MOST_ENTRIES)):
                yield group
    except OSError as error:
        raise InvalidFile(f"{file} cannot be read: {error.strerror}") from error


def _decoded(opened: BufferedReader, file: Path, line_bytes: int) -> Iterator[str]:
    number = 0
    while line := opened.readline(line_bytes + 1):
        number += 1
        if len(line) > line_bytes:
            raise InvalidFile(
                f"{file}:{number}: the line is longer than FRAUDSTREAM_FILES_LINE_BYTES={line_bytes}"
            )
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise InvalidFile(f"{file}:{number}: not UTF-8") from None


def _of_column(lines: Iterator[str], file: Path, column: str | None) -> Iterator[tuple[int, str]]:
    rows = csv.reader(lines, strict=True)
    try:
        head = next(rows, [])
        index = _index(head, file, column)
        for row in rows:
            if row:
                if index >= len(row):
                    raise InvalidFile(
                        f"{file}:{rows.line_num}: the row has {len(row)} columns, the head {len(head)}"
                    )
                yield rows.line_num, row[index]
    except csv.Error as error:
        raise InvalidFile(f"{file}:{rows.line_num}: {error}") from None


def _index(head: list[str], file: Path, column: str | None) -> int:
    if column is None and len(head) == 1:
        return 0
    if column in head:
        return head.index(str(column))
    raise InvalidFile(
        f"{file}: give --column, one of {', '.join(map(one_line, head)) or 'none: the file is empty'}"
    )


def _checked(text: str, file: Path, number: int, check: EntryCheck) -> str:
    entry = text.strip()
    if why := check.refusal(entry):
        raise InvalidFile(f"{file}:{number}: {why}")
    return entry
