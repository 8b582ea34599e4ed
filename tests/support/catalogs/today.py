"""The features of ``app.features.catalog`` that a profile gives, as a catalog."""

from app.catalog.definitions import Catalog, Entity, Feature, Field, Function
from app.expressions.names import Kind
from app.features.catalog import FEATURES, PROFILE

_WINDOWED = {
    "amount_sum": Function.SUM,
    "amount_mean": Function.MEAN,
    "amount_std": Function.STD,
    "amount_ratio": Function.RATIO,
    "amount_zscore": Function.ZSCORE,
}

FIELDS = (
    Field(name="event_time", kind=Kind.TIME, required=True, declared=False),
    Field(name="amount", kind=Kind.MONEY, required=True, declared=False),
    Field(name="terminal_id", kind=Kind.IDENTIFIER, required=True, declared=False),
    Field(name="latitude", kind=Kind.NUMBER, declared=False),
    Field(name="longitude", kind=Kind.NUMBER, declared=False),
)


def _feature(name: str, window_ms: int) -> Feature:
    function, of, same = _meaning(name)
    return Feature(
        name=name,
        entity=name.split("_", maxsplit=1)[0],
        function=function,
        of=of,
        window_ms=window_ms,
        same=same,
    )


def _meaning(name: str) -> tuple[Function, str | None, tuple[str, ...]]:
    """Function, field and ``same`` of a feature."""
    _, _, rest = name.partition("_")
    words = rest.rsplit("_", 1)[0]
    if words in _WINDOWED:
        return _WINDOWED[words], "amount", ()
    if words == "terminal_count":
        return Function.COUNT, None, ("terminal_id",)
    if words == "count":
        return Function.COUNT, None, ()
    single = {
        "amount": Function.VALUE,
        "hour": Function.TIME_OF_DAY,
        "weekend": Function.WEEKEND,
        "seconds_since_last": Function.SECONDS_SINCE_LAST,
        "travel_kmh": Function.TRAVEL_KMH,
    }
    return single[rest], "amount" if rest == "amount" else None, ()


TODAY = Catalog(
    name="today",
    reference_currency="EUR",
    fields=FIELDS,
    entities=(Entity(name="customer", key=("customer_id",)),),
    features=tuple(_feature(feature.name, feature.window_ms) for feature in FEATURES[PROFILE]),
)
