"""Prints models, comparisons and catalogs, by the functions of the commands, with a text in each place that others write."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from app.adapters.models.listing import ListedBundle
from app.adapters.toml_file.reader import Mistake
from app.catalog.definitions import Catalog, Entity, Feature, Field, Function
from app.catalog.diff import Difference as CatalogDifference
from app.checking.differences import DefinitionDifference
from app.checking.problems import Problem
from app.commands.models import catalog, compare, drift, gate, models, policies
from app.commands.models.list_output import print_change
from app.domain.outcomes.policy import Effect, RuleMode
from app.expressions import names
from app.expressions.checking import checker
from app.lists.changes import Action, ListChange
from app.model_comparison.gate import Verdict
from app.model_comparison.intervals import Compared, Interval
from app.model_comparison.paired import Alerts
from app.model_comparison.shadowed import Comparison
from app.operations.list_changes import Logged
from app.policy.definitions import Policy, Rule
from app.policy.names import policy_names
from app.rendering.console import SafeConsole
from app.scoring.drift import Drift
from tests.unit.outputs import test_hostile_values as known
from tests.unit.outputs.test_hostile_values import WIDE

INTERVAL = Interval(value=0.5, low=0.4, high=0.6)
COMPARED = Compared(champion=INTERVAL, challenger=INTERVAL, difference=INTERVAL)
COUNTS = Alerts(champion=1, challenger=1, both=1, agreement=1.0)


def _wide(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        "app.rendering.console.SafeConsole", lambda **options: SafeConsole(**options | {"width": WIDE})
    )


def compared(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _wide(patch)
        compare._show(
            Comparison(
                champion=text,
                challenger=text,
                transactions=1,
                frauds=1,
                days=1,
                alerts=COUNTS,
                figures={text: COMPARED},
            ),
            10,
        )


def judged(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _wide(patch)
        gate.show(
            Verdict(
                champion=text,
                candidate=text,
                transactions=1,
                frauds=1,
                days=1,
                budget=1,
                margin=0.1,
                figures={text: COMPARED},
                alerts=COUNTS,
                refusals=[text],
                warnings=[text],
            )
        )


def drifted(text: str) -> None:
    bundle: Any = SimpleNamespace(reference=known.model(text))
    found = [(Drift(text, 0.1, 0.0, 0.0), "steady")]
    for as_json in (False, True):
        drift._print_drifts(bundle, 1, found, as_json=as_json)


def listed(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        entry = ListedBundle(reference=text, alias=text, summary=text)
        patch.setattr("app.adapters.models.listing.list_bundles", lambda _: [entry])
        models.show(json=False)
        models.show(json=True)


def refused_catalog(text: str) -> None:
    mistake = Mistake(1, Problem((text, 0, text), text, text))
    catalog._print_check(text, None, (mistake,), as_json=False)


def refused_catalog_as_json(text: str) -> None:
    catalog._print_check(text, None, (Mistake(1, Problem((text, 0, text), text, text)),), as_json=True)


def _catalog(text: str) -> Catalog:
    """Names are checked; TOML has no lone surrogates."""
    free = text.encode("utf-8", "replace").decode()
    return Catalog(
        name=free,
        reference_currency="EUR",
        fields=(Field(name="f", kind=names.Kind.CATEGORY, values=(free, free)),),
        entities=(Entity(name="e", key=("f",)),),
        features=(
            Feature(name="a", entity="e", function=Function.COUNT, meaning=free, unit=free, missing=free),
        ),
    )


def shown_catalog(text: str) -> None:
    catalog._print_catalog(_catalog(text), as_json=False)


def shown_catalog_as_json(text: str) -> None:
    catalog._print_catalog(_catalog(text), as_json=True)


def catalogs_that_differ(text: str) -> None:
    catalog._print_differences(
        [
            CatalogDifference(
                what="feature", name=text, how="changed", details=(text, text), lacks=(text,), log_ms=1
            )
        ],
        as_json=False,
    )


def catalogs_that_differ_as_json(text: str) -> None:
    catalog._print_differences(
        [
            CatalogDifference(
                what="feature", name=text, how="added", details=(text, text), lacks=(text,), log_ms=1
            )
        ],
        as_json=True,
    )


def list_change(value: str) -> None:
    print_change(_changed(value), None, as_json=False)


def list_change_as_json(value: str) -> None:
    print_change(_changed(value), "d1", as_json=True)


def _changed(value: str) -> Logged:
    """Another system may have written the reason and the author."""
    return Logged(
        7,
        ListChange(list_name="blocked", entries=["d1"], action=Action.ADD, reason=value, author=value, at=1),
    )


def _mistake(text: str) -> Mistake:
    return Mistake(1, Problem((text, 0, text), text, text))


def refused_policy(text: str) -> None:
    policies._print_check(text, None, (_mistake(text),), as_json=False)


def refused_policy_as_json(text: str) -> None:
    policies._print_check(text, None, (_mistake(text),), as_json=True)


def _policy(text: str) -> Policy:
    """Names are checked; TOML has no lone surrogates."""
    free = text.encode("utf-8", "replace").decode()
    rule = Rule(
        id="r",
        when=checker.condition("score > 0.5", policy_names(_catalog("c"), ())),
        then=Effect.REVIEW,
        mode=RuleMode.LIVE,
        reason=free,
        text=free,
        owner=free,
        expires=date(2100, 1, 1),
        expires_ms=1,
        max_hit_rate=1.0,
    )
    return Policy(name="p", version="1", reference_currency="EUR", hit_rate_window=100, rules=(rule,))


def shown_policy(text: str) -> None:
    policies._print_policy(_policy(text), as_json=False)


def shown_policy_as_json(text: str) -> None:
    policies._print_policy(_policy(text), as_json=True)


def _policy_difference(text: str) -> list[DefinitionDifference]:
    return [DefinitionDifference(what="rule", name=text, how="changed", details=(text, text))]


def policies_that_differ(text: str) -> None:
    policies._print_differences(_policy_difference(text), as_json=False)


def policies_that_differ_as_json(text: str) -> None:
    policies._print_differences(_policy_difference(text), as_json=True)
