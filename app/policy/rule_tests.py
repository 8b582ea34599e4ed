"""Runs the tests that the rules of a policy have, in both back-ends."""

from collections.abc import Iterator

from app.checking.problems import Problem
from app.expressions.cells import Row
from app.expressions.names import Names
from app.expressions.vector.columns import chunk_of
from app.policy.conditions import Conditions
from app.policy.definitions import EVENT_TIME, Policy, Rule, RuleTest
from app.policy.lists import FixedLists


def failures(policy: Policy, names: Names) -> Iterator[Problem]:
    """A problem for each test that fails, and for each that the back-ends compute differently."""
    for index, rule in enumerate(policy.rules):
        conditions = Conditions([rule.when], [], names)
        for number, test in enumerate(rule.tests):
            said = _failure(rule, test, conditions, names)
            if said:
                yield Problem(("rules", index, "tests", number), *said)


def _failure(rule: Rule, test: RuleTest, conditions: Conditions, names: Names) -> tuple[str, str] | None:
    row: Row = tuple(test.given.get(column.name) for column in names.columns)
    time = test.given.get(EVENT_TIME)
    lists = FixedLists(test.lists, names.lists)
    (fires,) = conditions.of_row(row, lists, time if isinstance(time, int) else 0)
    chunk = chunk_of([row], [column.kind for column in names.columns])
    if bool(conditions.by_column(chunk, lists)[0, 0]) is not fires:
        return "rows and columns give different results", "report it as a fault of fraudstream"
    if fires is test.expect:
        return None
    said = "fires, and expect is false" if fires else "does not fire, and expect is true"
    return f"the rule '{rule.id}' {said}", "correct the rule or its test"
