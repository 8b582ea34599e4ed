"""The catalog of delayed entities: what a line of it says is what its columns are."""

import numpy as np
import pytest

from app.domain.transaction import Transaction
from app.features.entities import ENTITIES, DelayedEntity, Function, columns

#                 transactions   frauds known
#                 1d   7d   30d  1d  7d  30d
COUNTS = np.array([[0.0, 3.0, 8.0, 0.0, 1.0, 2.0], [0.0, 0.0, 1.0, 0.0, 1.0, 3.0]])


@pytest.mark.parametrize("entity", ENTITIES)
def test_an_entity_is_a_field_of_a_transaction(entity: DelayedEntity) -> None:
    assert entity.field in Transaction.__struct_fields__


def test_the_names_tell_the_entities_apart() -> None:
    assert len(ENTITIES) == len({entity.name for entity in ENTITIES})
    assert "terminal:7" == ENTITIES[0].key("7")


def test_columns_come_function_by_function_and_window_by_window() -> None:
    device = DelayedEntity("device", "device_id", (Function.RISK, Function.COUNT, Function.FRAUDS), (1, 2))

    assert [(Function.RISK, 1), (Function.RISK, 2), (Function.COUNT, 1)] == list(device.features)[:3]
    assert device.width == 6
    assert [1 / 3, 2 / 8, 3.0, 8.0, 1.0, 2.0] == columns(device, COUNTS)[0].tolist()


def test_frauds_are_never_more_than_transactions_and_without_any_the_risk_is_nothing() -> None:
    """Labels may come about transactions that never did."""
    card = DelayedEntity("card", "card_token", (Function.RISK, Function.FRAUDS), (0, 1, 2))

    assert [0.0, 0.0, 1.0, 0.0, 0.0, 1.0] == columns(card, COUNTS)[1].tolist()
