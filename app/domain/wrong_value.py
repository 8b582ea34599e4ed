"""A refused value of a file that people write, in words: the field, and the values that it may have."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import inspect as types

_PATH = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.(\w+)|\[[^\]]*\]")
_ITEM = ""
"""The step to an element of a list or a table."""


def wrong_value(error: Exception, kind: Any) -> str:
    """The text of an error of decoding a ``kind``. It lists the choices, or the fields, where the value is none of them.

    >>> import msgspec
    >>> from typing import Literal
    >>> class Recipe(msgspec.Struct, forbid_unknown_fields=True):
    ...     calibration: Literal["none", "sigmoid"] = "none"
    >>> def refused(given):
    ...     try:
    ...         msgspec.convert(given, Recipe)
    ...     except msgspec.ValidationError as error:
    ...         return wrong_value(error, Recipe)
    >>> refused({"calibration": "sigmoi"})
    '`calibration` must be one of `none`, `sigmoid`'
    >>> refused({"calibratoin": "sigmoid"})
    'Object contains unknown field `calibratoin`; known are `calibration`'
    """
    text = str(error)
    path = _PATH.search(text)
    steps = [step[1] or _ITEM for step in _STEP.finditer(path[1])] if path else []
    found = list(_reached(types.type_info(kind), steps))
    if text.startswith("Invalid enum value"):
        return f"`{'.'.join(filter(None, steps))}` must be one of {_listed(_choices(found))}"
    plain = _PATH.sub(lambda at: f" - at `{at[1].lstrip('.')}`", text)
    return f"{plain}; known are {_listed(_fields(found))}" if "unknown field" in text else plain


def _reached(kind: Any, steps: Sequence[str]) -> Iterator[Any]:
    """The types at the end of a path; a union has several."""
    if isinstance(kind, types.UnionType):
        for one in kind.types:
            yield from _reached(one, steps)
    elif not steps:
        yield kind
    else:
        for inner in _inside(kind, steps[0]):
            yield from _reached(inner, steps[1:])


def _inside(kind: Any, step: str) -> list[Any]:
    match kind:
        case types.StructType(fields=fields):
            return [field.type for field in fields if field.encode_name == step]
        case types.ListType(item_type=inner) | types.DictType(value_type=inner):
            return [inner]
    return []


def _choices(kinds: Sequence[Any]) -> Iterator[str]:
    for kind in kinds:
        match kind:
            case types.LiteralType(values=values):
                yield from map(str, values)
            case types.EnumType(cls=members):
                yield from (str(member.value) for member in members)


def _fields(kinds: Sequence[Any]) -> Iterator[str]:
    for kind in kinds:
        if isinstance(kind, types.StructType):
            yield from (field.encode_name for field in kind.fields)


def _listed(names: Iterator[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
