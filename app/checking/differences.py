"""The differences of two files of definitions, by kind and name."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

How = Literal["added", "removed", "changed"]
Facts = Mapping[str, str]
"""A definition in words, by key."""


class DefinitionDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A definition that only one of two files has, or that differs."""

    what: str
    """The kind of definition, such as a rule."""
    name: str
    how: How
    details: tuple[str, ...] = ()
    """How it is defined, or what differs."""


def compared(
    what: str, before: Mapping[str, Facts], after: Mapping[str, Facts]
) -> Iterator[DefinitionDifference]:
    """The differences of definitions by name, in the order of the new ones; those that are removed come last."""
    for name, facts in after.items():
        if name not in before:
            yield DefinitionDifference(what=what, name=name, how="added", details=_listed(facts))
        elif details := _changed(before[name], facts):
            yield DefinitionDifference(what=what, name=name, how="changed", details=details)
    for name, facts in before.items():
        if name not in after:
            yield DefinitionDifference(what=what, name=name, how="removed", details=_listed(facts))


def _listed(facts: Facts) -> tuple[str, ...]:
    return tuple(f"{key} {value}" for key, value in facts.items() if value)


def _changed(before: Facts, after: Facts) -> tuple[str, ...]:
    keys = dict.fromkeys([*after, *before])
    pairs = ((key, before.get(key, ""), after.get(key, "")) for key in keys)
    return tuple(f"{key} {old or 'none'} -> {new or 'none'}" for key, old, new in pairs if old != new)
