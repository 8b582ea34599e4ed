"""What is wrong in a file: all of it, each with its place and the remedy."""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from app.domain.safe_text import one_line
from app.expressions.names import suggestion
from app.expressions.position import Position

Path = tuple[str | int, ...]
"""Keys and indexes that lead to a value, as in ``("features", 3, "window")``."""
MOST_SHOWN = 60
"""Characters of a value in a message."""
_MOST_LISTED = 30
_MOST_COMPARED = 400
"""Names that are compared with an unknown one: more than a sound file has of a kind."""


class Problem(NamedTuple):
    """One mistake."""

    path: Path
    message: str
    remedy: str = ""
    within: Position | None = None
    """Line and column in the value at the path, where that is an expression."""

    @property
    def key(self) -> str:
        """The path as text: indexes count from 0.

        >>> Problem(("features", 3, "window"), "").key
        'features[3].window'
        """
        steps = (f"[{step}]" if isinstance(step, int) else f".{quoted_key(step)}" for step in self.path)
        return "".join(steps).removeprefix(".")

    @property
    def text(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


def quoted_key(key: str) -> str:
    """A key as TOML writes it.

    >>> quoted_key("name"), quoted_key("a b")
    ('name', '"a b"')
    """
    plain = key.isascii() and key.replace("_", "a").replace("-", "a").isalnum()
    return key if plain else f'"{shown(key)}"'


def shown(value: object) -> str:
    """A value of the file in a message: printable, and cut where it is long."""
    text = one_line(str(value))
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


def remedy(name: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown name: the nearest known one, or one of all.

    >>> remedy("amout", ["amount", "country"]), remedy("x", ["amount", "country"]), remedy("x", [])
    ("did you mean 'amount'?", 'known are amount, country', '')
    """
    names = list(islice(known, _MOST_COMPARED))
    near = suggestion(name, names).removeprefix("; ") if len(name) <= MOST_SHOWN else ""
    if near or not names:
        return near
    return f"known are {', '.join(names[:_MOST_LISTED])}" + (", …" if len(names) > _MOST_LISTED else "")
