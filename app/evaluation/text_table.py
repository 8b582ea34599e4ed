"""A table of text, for the console and for HTML reports."""

from collections.abc import Sequence
from typing import NamedTuple, Self


class Cell(str):
    """A text that has a colour, or leads somewhere, where the medium can show it."""

    __slots__ = ("colour", "url")
    colour: str
    url: str

    def __new__(cls, text: str, *, colour: str = "", url: str = "") -> Self:
        cell = super().__new__(cls, text)
        cell.colour, cell.url = colour, url
        return cell


class TextTable(NamedTuple):
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
