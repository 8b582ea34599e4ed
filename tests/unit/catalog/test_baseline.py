"""The shipped catalog describes the features of today: same names, same order, same windows."""

from app.adapters.catalog_file.reader import BASELINE, load_catalog
from app.features.catalog import FEATURES, WINDOW_NAMES
from app.features.entities import ENTITIES

CATALOG = load_catalog(BASELINE)


def test_the_features_are_those_that_the_baseline_model_was_trained_on() -> None:
    assert [
        (each.name, each.entity, each.unit, each.meaning, each.window_ms, each.delay_ms)
        for each in CATALOG.features
    ] == [
        (each.name, each.entity, each.unit, each.meaning, each.window_ms, each.delay_ms) for each in FEATURES
    ]


def test_the_same_features_are_never_missing() -> None:
    assert [each.name for each in CATALOG.features if each.missing == "never"] == [
        each.name for each in FEATURES if each.missing == "never"
    ]


def test_the_definitions_say_what_the_names_say() -> None:
    for feature in CATALOG.features:
        words = feature.name.split("_")
        assert feature.function is not None
        if words[1] in {"count", "risk", "frauds"}:
            assert words[1] == feature.function
        if words[1] == "amount" and len(words) > 2:
            assert (words[2], feature.of) == (feature.function, "amount")
        assert feature.name.endswith(WINDOW_NAMES) == (feature.window_ms > 0)


def test_the_entities_are_those_of_the_delayed_features() -> None:
    keys = {entity.name: entity.key for entity in CATALOG.entities}

    assert {entity.name: (entity.field,) for entity in ENTITIES} == keys
