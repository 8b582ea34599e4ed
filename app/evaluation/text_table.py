"""Rows of text, for the terminal and for a page."""

from collections.abc import Sequence
from typing import NamedTuple


class TextTable(NamedTuple):
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
