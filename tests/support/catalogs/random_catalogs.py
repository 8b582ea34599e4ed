"""Random features over the fields of ``history``, for Hypothesis."""

from hypothesis import strategies as st

from app.catalog.definitions import Catalog, Entity, Feature, Function
from app.expressions import tree
from app.expressions.names import Kind
from app.expressions.tree import Column, Condition, Relation
from tests.support.catalogs.history import FIELDS, WINDOWS_MS

_AMOUNT, _SCORE = Column("amount", Kind.MONEY), Column("score", Kind.NUMBER)
_CHANNEL, _COUNTRY = Column("channel", Kind.CATEGORY), Column("country", Kind.CATEGORY)
_TRUSTED = Column("trusted", Kind.BOOLEAN)
_SUMMED = ("amount", "balance", "score")
_COMPARED = ("terminal_id", "country", "trusted", "opened_at", *_SUMMED)
_PLAIN = (
    Function.COUNT,
    Function.SECONDS_SINCE_LAST,
    Function.SECONDS_SINCE_FIRST,
    Function.TIME_SIMILARITY,
)
_OF_NUMBERS = (
    Function.SUM,
    Function.MEAN,
    Function.STD,
    Function.MIN,
    Function.MAX,
    Function.RATIO,
    Function.ZSCORE,
    Function.MAX_RATIO,
)
_OF_ANY = (Function.DISTINCT, Function.IS_NEW)

simple_conditions: st.SearchStrategy[Condition] = st.one_of(
    st.builds(tree.TextOneOf, st.just(_CHANNEL), st.sampled_from([("ecom",), ("pos",)])),
    st.builds(tree.TextOneOf, st.just(_COUNTRY), st.sampled_from([("CH",), ("CH", "FR")])),
    st.builds(
        tree.Compare,
        st.sampled_from(Relation),
        st.just(_AMOUNT),
        st.integers(0, 20).map(lambda value: tree.Money(value, "EUR")),
    ),
    st.builds(
        tree.Compare,
        st.sampled_from(Relation),
        st.just(_SCORE),
        st.integers(-2, 2).map(lambda value: tree.Number(float(value))),
    ),
    st.just(_TRUSTED),
    st.builds(tree.IsMissing, st.sampled_from([_SCORE, _COUNTRY, _TRUSTED])),
)


def _more(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    pairs = st.tuples(inner, inner)
    return st.one_of(st.builds(tree.Not, inner), st.builds(tree.And, pairs), st.builds(tree.Or, pairs))


conditions = st.recursive(simple_conditions, _more, max_leaves=4)


@st.composite
def windowed(draw: st.DrawFn, name: str) -> Feature:
    """A feature over a window."""
    function = draw(st.sampled_from([*_PLAIN, *_OF_NUMBERS, *_OF_ANY, Function.SHARE]))
    of = None
    if function in _OF_NUMBERS:
        of = draw(st.sampled_from(_SUMMED))
    elif function in _OF_ANY:
        of = draw(st.sampled_from(_COMPARED))
    filtered = conditions if function is Function.SHARE else st.none() | conditions
    return Feature(
        name=name,
        entity="customer",
        function=function,
        of=of,
        where=draw(filtered),
        window_ms=draw(st.sampled_from(WINDOWS_MS)),
        same=tuple(draw(st.lists(st.sampled_from(_COMPARED), max_size=2, unique=True))),
        includes_current=draw(st.booleans()),
    )


@st.composite
def catalogs(draw: st.DrawFn, most: int = 12) -> Catalog:
    """A catalog of windowed features."""
    count = draw(st.integers(1, most))
    return catalog(*[draw(windowed(f"feature_{number}")) for number in range(count)])


def catalog(*features: Feature) -> Catalog:
    """A catalog with these features."""
    customer = Entity(name="customer", key=("customer_id",))
    return Catalog(
        name="random", reference_currency="EUR", fields=FIELDS, entities=(customer,), features=features
    )
