"""An expression at a bound is accepted, compiled and computed; tests of refusals have those beyond it."""

import pytest

from app.expressions import printer
from app.expressions.checking import checker
from app.expressions.cost import cost
from app.expressions.program import compiled, differences
from tests.support.expressions.names import NAMES, row
from tests.unit.expressions.evaluation import NOTHING_LISTED

LARGEST = {
    "characters": " " * (4_000 - len("strong_auth")) + "strong_auth",
    "text": f"merchant == '{'a' * 256}'",
    "nodes": " and ".join(["new_payee"] * 250),
    "values": f"count_1d in ({','.join(map(str, range(200)))})",
    "parentheses": "(" * 39 + "strong_auth" + ")" * 39,
    "negations": "not " * 39 + "strong_auth",
    "signs": "-" * 37 + "count_1d > 1",
    "calls": "abs(" * 37 + "count_1d" + ")" * 37 + " > 1",
    "sum": "1" + "+1" * 38 + " > 1",
    "cost": "hour(event_time) > 1 or " * 62 + "new_payee and strong_auth",
}


@pytest.mark.parametrize("name", LARGEST)
def test_an_expression_at_its_bound_is_computed(name: str) -> None:
    found = checker.condition(LARGEST[name], NAMES)

    assert found == checker.condition(printer.text(found), NAMES)
    assert [] == differences(compiled(found, NAMES), [row(), row(count_1d=1.0)], NAMES, NOTHING_LISTED)


def test_the_cost_is_the_sum_of_the_nodes() -> None:
    assert 3 == cost(checker.condition("count_1d > 1", NAMES))
    assert 8 + 6 + 1 == cost(
        checker.condition("hour(event_time) > 1 and device_id in blocked_devices", NAMES)
    )
