"""The position in the document of each character of a TOML text. An escape takes several characters there, or yields none."""

import re

from app.expressions.position import Position

_IN_QUOTES = re.compile(r"\\(?:u.{4}|U.{8}|[ \t]*\r?\n[ \t\r\n]*|.)|\r?\n|.", re.DOTALL)
_IN_APOSTROPHES = re.compile(r"\r?\n|.", re.DOTALL)
_FIRST_BREAK = re.compile(r"\r?\n")
_ESCAPED_BREAK = re.compile(r"\\[ \t]*\r?\n")


def place_in_content(raw: str, at: Position) -> int:
    """The offset in a text as the document has it, quotes included, of a line and column of its value.

    A place behind the end of a line is that of its end.
    """
    lines = _lines(raw)
    origins = lines[min(at.line, len(lines)) - 1]
    return origins[min(at.column, len(origins)) - 1]


def _lines(raw: str) -> list[list[int]]:
    """For each line of the value, the offsets of its characters and of its end."""
    quotes = raw[:3] if raw[:3] in {'"""', "'''"} and len(raw) >= 6 else raw[0]  # two times three quotes
    begin, end = len(quotes), len(raw) - len(quotes)
    if len(quotes) > 1 and (first := _FIRST_BREAK.match(raw, begin)):
        begin = first.end()
    units = (_IN_QUOTES if raw[0] == '"' else _IN_APOSTROPHES).finditer(raw, begin, end)
    lines: list[list[int]] = [[]]
    for unit in units:
        if _ESCAPED_BREAK.match(unit[0]):
            continue
        lines[-1].append(unit.start())
        if unit[0] in {"\n", "\r\n", "\\n"}:
            lines.append([])
    lines[-1].append(end)
    return lines
