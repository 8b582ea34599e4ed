"""Reads the keys of a parsed table. A wrong value is recorded as a problem and replaced by the default, so that all problems are found."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, cast

from app.checking.problems import Path, Problem, quoted_key, remedy, shown
from app.expressions.position import Position

T = TypeVar("T")
_WORDS: dict[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "an array",
    dict: "a table",
}


class Table:
    """A table of the file, its path, and the list to which its problems are added."""

    def __init__(self, values: Mapping[str, Any], path: Path, problems: list[Problem]) -> None:
        self._values = values
        self._problems = problems
        self._before = len(problems)
        self.path = path

    @property
    def is_sound(self) -> bool:
        """Whether nothing has been refused in this table so far."""
        return len(self._problems) == self._before

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def refuse(
        self,
        message: str,
        remedy: str = "",
        *,
        at: str | tuple[str | int, ...] = (),
        within: Position | None = None,
    ) -> None:
        """Add a problem of the table, or of what is below it at a key or path, where it may be at a place within a text."""
        below = (at,) if isinstance(at, str) else at
        self._problems.append(Problem((*self.path, *below), message, remedy, within))

    def expect(self, *known: str) -> None:
        """Refuse every other key."""
        for key in self._values:
            if key not in known:
                self.refuse(f"unknown key '{shown(key)}'", remedy(key, known), at=key)

    def has(self, key: str, kind: type) -> bool:
        """Whether a key is there with a value of a type: true is no number, and a whole number is a number."""
        found = type(self._values.get(key))
        return key in self and (found is kind or (kind is float and found is int))

    def get(self, key: str, kind: type[T], default: T) -> T:
        """The value of a key; the default where it is absent or, which is a problem, of another type."""
        if self.has(key, kind):
            return cast(T, self._values[key])
        if key in self:
            self.refuse(f"{_WORDS[kind]} is expected here, not {described(self._values[key])}", at=key)
        return default

    def required(self, key: str, example: str) -> str | None:
        """The text of a key that must be there; None where it is not. ``example`` is how to write it."""
        if key not in self:
            self.refuse(f"{quoted_key(key)} is missing", f"write it, as in {example}")
        return self.text(key)

    def text(self, key: str) -> str | None:
        """The text of a key; None where it is absent or of another type."""
        text = self.get(key, str, "")
        return text if self.has(key, str) else None

    def texts(self, key: str) -> tuple[str, ...] | None:
        """The texts of an array, or one text; None where the key is absent or anything in it is no text."""
        value = self._values.get(key)
        if value is None or isinstance(value, str):
            return None if value is None else (value,)
        if not isinstance(value, list):
            self.refuse(f"a text or an array of texts is expected here, not {described(value)}", at=key)
            return None
        wrong = [(index, each) for index, each in enumerate(value) if not isinstance(each, str)]
        for index, each in wrong:
            self.refuse(f"a text is expected here, not {described(each)}", at=(key, index))
        return None if wrong else tuple(value)

    def raw(self, key: str) -> object:
        """The value of a key as it is; None where it is absent."""
        return self._values.get(key)

    def table(self, key: str) -> "Table | None":
        """The table of a key that must be there; None where it is not, which is a problem."""
        value = self._values.get(key)
        if isinstance(value, dict):
            return Table(value, (*self.path, key), self._problems)
        message = (
            f"a table is expected here, not {described(value)}" if key in self else f"[{key}] is missing"
        )
        self.refuse(message, f"write [{key}] and its keys", at=key)
        return None

    def texts_of_items(self, key: str, inner: str) -> frozenset[str]:
        """The texts that the tables of an array have at a key, sound or not."""
        values = self._values.get(key)
        items = (
            [each.get(inner) for each in values if isinstance(each, dict)] if isinstance(values, list) else []
        )
        return frozenset(each for each in items if isinstance(each, str))

    def tables(self, key: str) -> Iterator[tuple[str, "Table"]]:
        """The tables of a table, by name."""
        values = self._values.get(key, {})
        if not isinstance(values, dict):
            self.refuse(f"a table is expected here, not {described(values)}", f"write [{key}]", at=key)
            return
        for name, value in values.items():
            if isinstance(value, dict):
                yield name, Table(value, (*self.path, key, name), self._problems)
            else:
                self.refuse(f"a table is expected here, not {described(value)}", at=(key, name))

    def items(self, key: str) -> Iterator["Table"]:
        """The tables of an array of tables."""
        values = self._values.get(key, [])
        if not isinstance(values, list):
            remedy = f"write [[{key}]] before each"
            self.refuse(f"an array of tables is expected here, not {described(values)}", remedy, at=key)
            return
        for index, value in enumerate(values):
            if isinstance(value, dict):
                yield Table(value, (*self.path, key, index), self._problems)
            else:
                self.refuse(f"a table is expected here, not {described(value)}", at=(key, index))


def described(value: object) -> str:
    """The type of a value in words.

    >>> described(True), described(1), described("a"), described(None)
    ('true or false', 'a whole number', 'a text', 'a date or time')
    """
    return _WORDS.get(type(value), "a date or time")
