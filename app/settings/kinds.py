"""Types and names that the fields of several groups share."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec import inspect as types
from msgspec.structs import fields

from app.domain.safe_text import without_credentials

PREFIX = "FRAUDSTREAM_"
MIB = 1024 * 1024

Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Hours = Annotated[float, Meta(gt=0)]


def variable(group: str, field: str) -> str:
    """Return the environment name of a setting, such as ``FRAUDSTREAM_KAFKA_COMPRESSION``."""
    return f"{PREFIX}{group}_{field}".upper()


def is_address(field: str) -> bool:
    """Whether a field holds the address of a server, in which people also write user and password."""
    return field == "url" or field.endswith(("_url", "_servers"))


def shown(value: object) -> object:
    """The value as it may be shown: no URL in it holds credentials."""
    return without_credentials(value) if isinstance(value, str) else value


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all groups of settings. Its ``repr``, which debuggers and crash reports print, holds no credentials."""

    def __repr__(self) -> str:
        parts = (f"{field.name}={shown(getattr(self, field.name))!r}" for field in fields(self))
        return f"{type(self).__name__}({', '.join(parts)})"

    def __rich_repr__(self) -> Any:
        """As ``repr``: msgspec's own would show the values as they are."""
        yield from ((field.name, shown(getattr(self, field.name))) for field in fields(self))


def kind_of(kind: Any) -> tuple[str, str]:
    """The type and the bounds of a field as text.

    >>> from typing import Literal
    >>> kind_of(int), kind_of(Literal["json", "avro"])
    (('integer', ''), ('one of `json`, `avro`', ''))
    """
    match types.type_info(kind):
        case types.IntType() as number:
            return "integer", _between(number)
        case types.FloatType() as number:
            return "number", _between(number)
        case types.StrType(min_length=shortest, max_length=longest):
            limits = [
                f"{word} {limit}" for word, limit in (("at least", shortest), ("at most", longest)) if limit
            ]
            return "text", f"{', '.join(limits)} characters" if limits else ""
        case types.LiteralType(values=choices):
            return "one of " + ", ".join(f"`{choice}`" for choice in choices), ""
    raise TypeError(f"no text for {kind}")


def requirement(kind: Any) -> str:
    """What a value of the field must be.

    >>> from typing import Annotated
    >>> from msgspec import Meta
    >>> requirement(Annotated[int, Meta(ge=1)])
    'integer, at least 1'
    """
    return ", ".join(filter(None, kind_of(kind)))


def _between(kind: types.IntType | types.FloatType) -> str:
    limits = (("at least", kind.ge), ("above", kind.gt), ("at most", kind.le), ("below", kind.lt))
    return ", ".join(f"{word} {limit}" for word, limit in limits if limit is not None)
