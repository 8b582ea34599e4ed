"""A table of text, for the console and for HTML reports."""

from collections.abc import Sequence
from typing import NamedTuple


class TextTable(NamedTuple):
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
