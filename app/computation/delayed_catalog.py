"""The delayed entities of a catalog, in the windows that the states of entities keep."""

from collections.abc import Iterator, Sequence

from app.catalog.definitions import Catalog, Feature
from app.errors import ConfigurationError
from app.features.entities import (
    DELAY_MS,
    DELAYED_WIDTHS_MS,
    DELAYED_WINDOW_NAMES,
    DelayedEntity,
    Function,
)


def delayed_entities(catalog: Catalog) -> tuple[DelayedEntity, ...]:
    """The entities of delayed features, in the order of the catalog, each with every function and window that a feature names.

    Raises ConfigurationError for a delay, a window or a name that the states of entities do not give.
    """
    features = [feature for feature in catalog.features if feature.delay_ms]
    for feature in features:
        _require_kept(feature)
    keys = {entity.name: entity.key for entity in catalog.entities}
    return tuple(
        DelayedEntity(
            name,
            _field(name, keys[name]),
            tuple(dict.fromkeys(Function(str(one.function)) for one in features if one.entity == name)),
            tuple(sorted({DELAYED_WIDTHS_MS.index(one.window_ms) for one in features if one.entity == name})),
        )
        for name in dict.fromkeys(feature.entity for feature in features)
    )


def delayed_columns(entities: Sequence[DelayedEntity]) -> Iterator[str]:
    """The names of the columns that the entities give, in their order."""
    for entity in entities:
        for function, window in entity.features:
            yield f"{entity.name}_{function}_{DELAYED_WINDOW_NAMES[window]}"


def _require_kept(feature: Feature) -> None:
    widths = dict(zip(DELAYED_WIDTHS_MS, DELAYED_WINDOW_NAMES, strict=True))
    if feature.delay_ms != DELAY_MS or feature.window_ms not in widths:
        raise ConfigurationError(
            f"the feature {feature.name}: the states of delayed entities have the delay 7d and the windows "
            f"{', '.join(DELAYED_WINDOW_NAMES)}. Give it one of these windows."
        )
    name = f"{feature.entity}_{feature.function}_{widths[feature.window_ms]}"
    if feature.name != name:
        raise ConfigurationError(f"the feature {feature.name}: a delayed feature is named {name}. Rename it.")


def _field(name: str, key: tuple[str, ...]) -> str:
    if len(key) > 1:
        raise ConfigurationError(
            f"the entity {name}: delayed features of a pair of fields are not supported. Use one of its fields as the key."
        )
    return key[0]
