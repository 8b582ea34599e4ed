"""Policies and their differences as lines for people, and as values for JSON."""

from collections import Counter
from collections.abc import Iterator

from app.checking.differences import DefinitionDifference
from app.domain.outcomes.policy import Effect
from app.policy.definitions import Policy, Rule
from app.policy.diff import of_band, of_rule, of_section

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_SECTIONS = ("deadline", "holdout", "budget")
_PRECEDENCE = tuple(Effect)
_WIDTH = 20


def summary(policy: Policy) -> str:
    """What a policy has, in one line."""
    modes = Counter(str(rule.mode) for rule in policy.rules)
    counted = ", ".join(f"{count} {mode}" for mode, count in sorted(modes.items()))
    rules = f"{len(policy.rules)} rules" + (f" ({counted})" if counted else "")
    tests = sum(len(rule.tests) for rule in policy.rules)
    return f"{rules}, {tests} tests, {len(policy.bands)} bands, {len(policy.lists)} lists"


def without_tests(policy: Policy) -> list[str]:
    """The ids of the live rules without a test."""
    return [rule.id for rule in policy.rules if rule.mode == "live" and not rule.tests]


def policy_lines(policy: Policy) -> Iterator[str]:
    """Everything that a policy defines."""
    yield f"{policy.name}/{policy.version}: {summary(policy)}"
    yield f"amounts in {policy.reference_currency}; hits are counted over {policy.hit_rate_window:,} transactions"
    yield from ("", "Lists")
    for each in policy.lists:
        yield f"    {each.name:{_WIDTH}} {each.kind}"
    yield from ("", "Rules, by precedence")
    for rule in by_precedence(policy):
        yield from _rule(rule)
    yield from ("", "Bands, the first that matches")
    for band in policy.bands:
        facts = of_band(band)
        yield f"    review {facts['review']}, decline {facts['decline']}: {facts['when']}"
    if not policy.bands or policy.bands[-1].when is not None:
        yield "    thresholds of the model: every other transaction"
    for name in _SECTIONS:
        if facts := of_section(getattr(policy, name)):
            yield from ("", name.capitalize())
            yield from (f"    {key:{_WIDTH}} {value}" for key, value in facts.items())


def by_precedence(policy: Policy) -> list[Rule]:
    """The rules, those first that override the others."""
    return sorted(policy.rules, key=lambda rule: _PRECEDENCE.index(rule.then))


def policy_facts(policy: Policy) -> dict[str, object]:
    """Everything that a policy defines, for JSON; conditions in their normal form."""
    return {
        "name": policy.name,
        "version": policy.version,
        "reference_currency": policy.reference_currency,
        "hit_rate_window": policy.hit_rate_window,
        "lists": {each.name: each.kind for each in policy.lists},
        "rules": [
            {"id": rule.id, **of_rule(rule), "max_hit_rate": rule.max_hit_rate, "tests": len(rule.tests)}
            for rule in policy.rules
        ],
        "bands": [
            {
                "when": None if band.when is None else of_band(band)["when"],
                "review": band.thresholds.review,
                "decline": band.thresholds.decline,
            }
            for band in policy.bands
        ],
        **{name: of_section(getattr(policy, name)) or None for name in _SECTIONS},
    }


def difference_lines(found: DefinitionDifference) -> Iterator[str]:
    """A difference and its details."""
    yield f"{_SIGNS[found.how]} {found.what} {found.name}".rstrip()
    yield from (f"    {each}" for each in found.details)


def _rule(rule: Rule) -> Iterator[str]:
    facts = of_rule(rule)
    yield f"    {rule.id}"
    yield f"        {facts['then']}, {facts['mode']}: {facts['when']}"
    yield f"        {facts['reason']}: {facts['text']}"
    yield (
        f"        owner {facts['owner']}; until {facts['expires']}; max_hit_rate {facts['max_hit_rate']}; "
        f"tests {facts['tests']}"
    )
