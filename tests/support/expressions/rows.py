"""Random rows and lists, for Hypothesis: cells of every kind, missing ones and those beyond a bound included."""

from typing import Any

from hypothesis import strategies as st

from app.expressions.names import Kind
from tests.support.expressions.names import LISTS, NAMES
from tests.support.expressions.trees import WORDS

LARGEST = 2**63 - 1

_cells: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.NUMBER: st.one_of(st.floats(), st.sampled_from([0.0, -0.0, 1.0, 0.1, 0.5, 2.0, 10.0, 100.0])),
    Kind.MONEY: st.one_of(
        st.integers(-300, 300),
        st.integers(-(10**17), 10**17),
        st.integers(-(2**65), 2**65),
        st.sampled_from([LARGEST, LARGEST + 1, -LARGEST, -LARGEST - 1, 2**53 + 1, 2**62]),
    ),
    Kind.TIME: st.one_of(
        st.integers(-(10**12), 5 * 10**12), st.sampled_from([0, -1, 4_102_444_800_000, LARGEST])
    ),
    Kind.BOOLEAN: st.booleans(),
}


def _cell(kind: Kind, values: tuple[str, ...]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), _cells.get(kind, st.sampled_from(values or WORDS)))


rows = st.tuples(*(_cell(column.kind, column.values) for column in NAMES.columns))
lists = st.fixed_dictionaries({name: st.frozensets(st.sampled_from(WORDS)) for name in LISTS})
