"""From a catalog to the plan that the compiled fold interprets.

Only features of the customer and of the transaction without delay are in it, and what is derived of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from app.catalog.definitions import CUSTOMER, TRANSACTION, Catalog, Feature, Function
from app.errors import ConfigurationError
from app.expressions.tree import Column, Tree, parts
from app.profiles.aggregates import SLOTS
from app.profiles.kept import LIVE, Kept, keep, require_flags
from app.profiles.program import AGGREGATE, FORMULA, SAME, Program
from app.profiles.requests import (
    Need,
    Request,
    SameFlags,
    is_previous,
    is_windowed,
    provider,
    request,
    same_fields,
    value_field,
)


class Plan(NamedTuple):
    """How the features of customers and transactions of one catalog are computed."""

    catalog: Catalog
    features: tuple[Feature, ...]
    """In the order of the catalog; the columns of what the fold returns."""
    kept: Kept
    program: Program

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features."""
        return tuple(feature.name for feature in self.features)

    @property
    def horizon_ms(self) -> int:
        """Width of the widest window."""
        return int(max(self.program.windows_ms, default=0))


def plan(catalog: Catalog) -> Plan:
    """Return the plan of a catalog. Raises ConfigurationError for features that one profile cannot hold."""
    features = tuple(_features(catalog))
    windowed = [feature for feature in features if is_windowed(feature)]
    _require_windows(windowed)
    kept = keep(
        catalog,
        [name for feature in windowed for name in (*same_fields(feature), value_field(feature)) if name],
        [feature.where for feature in windowed if feature.where is not None],
    )
    return Plan(catalog, features, kept, _program(features, kept))


def _features(catalog: Catalog) -> Iterator[Feature]:
    """Yield the features that a profile and the event give: no others, and none that is derived from others."""
    known = {field.name for field in catalog.fields}
    for feature in catalog.features:
        own = feature.entity in {CUSTOMER, TRANSACTION} and not feature.delay_ms
        if own and (
            feature.derive is None or known.issuperset(column.name for column in columns(feature.derive))
        ):
            known.add(feature.name)
            yield feature


def columns(found: Tree) -> Iterator[Column]:
    """Yield the fields and features that a tree names."""
    if isinstance(found, Column):
        yield found
    for part in parts(found):
        yield from columns(part)


def _require_windows(windowed: Iterable[Feature]) -> None:
    for feature in windowed:
        if not (feature.window_ms or is_previous(feature)):
            raise ConfigurationError(
                f"the feature {feature.name} needs a window; only seconds_since_last without where and same has none"
            )


def _program(features: Sequence[Feature], kept: Kept) -> Program:
    windowed = {output: feature for output, feature in enumerate(features) if is_windowed(feature)}
    windows = sorted({feature.window_ms for feature in windowed.values()} - {0})
    same = _same_flags(windowed.values(), kept)
    requests = {output: request(feature, kept, same) for output, feature in windowed.items()}
    reach = _reach(requests.values(), windows)
    slots = _slots(reach)
    lines = [_formula(output, each, windows, slots) for output, each in requests.items()]
    return Program(
        np.array(windows, np.int64),
        np.array(list(_same(same, kept)), SAME),
        np.array([(*need, reach[need], slots[need]) for need in reach], AGGREGATE),
        np.array(lines, FORMULA),
        slots=sum(SLOTS[need.group] for need in reach),
        travel=next((i for i, each in enumerate(features) if each.function is Function.TRAVEL_KMH), -1),
    )


def _same_flags(features: Iterable[Feature], kept: Kept) -> SameFlags:
    combinations = sorted({same_fields(feature) for feature in features} - {()})
    require_flags(kept.flags + len(combinations), kept)
    return {fields: LIVE << 1 + kept.flags + i for i, fields in enumerate(combinations)}


def _same(same: SameFlags, kept: Kept) -> Iterator[tuple[int, int, int]]:
    for fields, flag in same.items():
        for name in fields:
            yield flag, kept.column(name).row, int(name == fields[0])


def _needs(requests: Iterable[Request]) -> list[tuple[Need, int]]:
    """All needs, with the width of the window that they are for."""
    return [
        (need, each.window_ms) for each in requests for need in (each.need, each.all_need) if need is not None
    ]


def _reach(requests: Iterable[Request], windows: Sequence[int]) -> dict[Need, int]:
    """The aggregates to compute, each with the number of windows from the narrowest to the widest that it is for."""
    asked = _needs(requests)
    needs = {need for need, _ in asked}
    reach = dict.fromkeys(sorted({provider(need, needs) for need in needs}), 0)
    for need, window_ms in asked:
        given = provider(need, needs)
        reach[given] = max(reach[given], windows.index(window_ms) + 1)
    return reach


def _slots(reach: Mapping[Need, int]) -> dict[Need, int]:
    """The index of the first result of each aggregate."""
    needs = list(reach)
    firsts = np.cumsum([0, *(SLOTS[need.group] for need in needs)]).tolist()
    return dict(zip(needs, firsts, strict=False))


def _formula(
    output: int, each: Request, windows: Sequence[int], slots: Mapping[Need, int]
) -> tuple[int, ...]:
    slot, flags = _slot(each.need, slots)
    all_slot, all_flags = _slot(each.all_need, slots)
    window = windows.index(each.window_ms) if each.window_ms else 0
    return (
        *(each.kind, output, window, each.row, each.scale),
        *(slot, flags, all_slot, all_flags, each.includes, each.requires),
    )


def _slot(need: Need | None, slots: Mapping[Need, int]) -> tuple[int, int]:
    return (0, 0) if need is None else (slots[provider(need, slots)], need.flags)
