"""Checks a policy file over a catalog. All problems are found at once; none is a consequence of another."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.catalog.definitions import Catalog
from app.checking.problems import Problem
from app.checking.table import Table
from app.expressions.cost import cost
from app.policy.bounds import DEFAULT_WINDOW, LEAST_WINDOW, MOST_COST, MOST_WINDOW
from app.policy.checking import bands, lists, rules, sections
from app.policy.checking.values import between, printable, required_text
from app.policy.definitions import Policy
from app.policy.names import policy_names
from app.policy.rule_tests import failures

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


class Checked(NamedTuple):
    """A policy, or what is wrong."""

    policy: Policy | None
    problems: tuple[Problem, ...]


def checked(data: Mapping[str, Any], catalog: Catalog) -> Checked:
    """Check parsed data, as TOML gives it, and run the tests of its rules.

    Raises ConfigurationError for a catalog over which there are no policies: one with a field or feature named score.
    """
    problems: list[Problem] = []
    file = Table(data, (), problems)
    file.expect("policy", "lists", "rules", "bands", "deadline", "holdout", "budget")
    name, version, window = _head(file)
    declared = lists.declared(file, policy_names(catalog, ()))
    names = policy_names(catalog, [each for each in declared.values() if each is not None])
    scope = lists.Scope(names, declared)
    policy = Policy(
        name=name,
        version=version,
        reference_currency=catalog.reference_currency,
        hit_rate_window=window,
        lists=tuple(filter(None, declared.values())),
        rules=rules.rules(file, scope),
        bands=bands.bands(file, scope),
        deadline=sections.deadline(file),
        holdout=sections.holdout(file, names),
        budget=sections.budget(file),
    )
    _check_cost(file, policy)
    if not problems:
        sections.check_budget(file, policy)
        problems += failures(policy, names)
    return Checked(None if problems else policy, tuple(problems))


def _head(file: Table) -> tuple[str, str, int]:
    table = file.table("policy")
    if table is None:
        return "", "", DEFAULT_WINDOW
    table.expect("name", "version", "meaning", "hit_rate_window")
    name, version = (
        required_text(table, key, example, _NAME, "1 to 64 letters, digits, points, dashes and underscores")
        for key, example in (("name", 'name = "cards"'), ("version", 'version = "1"'))
    )
    printable(table, "meaning")
    return name, version, between(table, "hit_rate_window", LEAST_WINDOW, MOST_WINDOW, DEFAULT_WINDOW)


def _check_cost(file: Table, policy: Policy) -> None:
    conditions = [*(rule.when for rule in policy.rules), *(band.when for band in policy.bands if band.when)]
    total = sum(map(cost, conditions))
    if total > MOST_COST:
        file.refuse(
            f"the conditions cost {total:,} units a transaction; at most {MOST_COST:,} are allowed",
            "remove rules that are off or expired",
            at="rules",
        )
