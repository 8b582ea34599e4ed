"""docs/models/catalogs.md: its examples are sound, its messages are real, its tables are those of the code."""

import re
from collections.abc import Iterator

import pytest

from app.adapters.catalog_file.reader import BUILT_IN, load_catalog, parsed
from app.adapters.toml_file.reader import MOST_BYTES
from app.catalog import bounds
from app.catalog.checking.fields import OPTIONS
from app.catalog.contract import CONTRACT
from app.catalog.durations import text
from app.catalog.functions import FUNCTIONS, Scope, Use
from tests.support.documents import fences
from tests.support.paths import REPOSITORY
from tests.unit.catalog.cases import refused

PAGE = (REPOSITORY / "docs" / "models" / "catalogs.md").read_text(encoding="utf-8")
FIRST, *FURTHER = (fence.text for fence in fences(PAGE) if fence.language == "toml")
USES = {Use.NONE: "no", Use.OPTIONAL: "may", Use.REQUIRED: "must"}
SCOPES = {Scope.CURRENT: "transaction", Scope.WINDOW: "customer", Scope.DELAYED: "delayed"}


def test_the_examples_are_sound_one_after_the_other() -> None:
    whole = FIRST
    assert parsed(whole.encode()).mistakes == ()
    for example in FURTHER:
        whole += example
        assert parsed(whole.encode()).mistakes == ()


def test_the_messages_are_those_of_the_check() -> None:
    (shown,) = (fence.text for fence in fences(PAGE) if fence.language == "text")
    said = {re.sub(r"^[-0-9]+: ", "", line) for case in refused() for line in case.said}

    assert {re.sub(r"^mine.toml:[0-9]+: ", "", line) for line in shown.splitlines()} <= said


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_table_has_every_function(function: str) -> None:
    signature = next(found for name, found in FUNCTIONS.items() if name == function)
    entities = ", ".join(word for scope, word in SCOPES.items() if scope in signature.scopes)
    uses = (USES[signature.window], USES[signature.where], "may" if signature.may_exclude_current else "no")
    kinds = ", ".join(sorted(signature.of)) or "no"
    row = (f"`{function}`", entities, kinds, *uses, signature.unit or "of the field")

    assert f"| {' | '.join(row)} | " in PAGE


def test_the_table_has_every_type_with_its_keys() -> None:
    for kind, keys in OPTIONS.items():
        (row,) = re.findall(rf"^\| `{kind}` \|.*$", PAGE, re.MULTILINE)
        assert [
            key
            for key in ("minimum", "maximum", "decimals", "max_length", "values")
            if f"`{key}`" in row.split("|")[3]
        ] == [*keys]


def test_the_fields_of_the_contract_are_named() -> None:
    section = PAGE.partition("## Fields")[2].partition("## Entities")[0]

    assert {field.name for field in CONTRACT} <= set(re.findall(r"`(\w+)`", section))


def test_the_bounds_are_those_of_the_code() -> None:
    section = PAGE.partition("## Bounds")[2].partition("## Digests")[0]
    values = re.findall(r"^\| .* \| ([0-9]\S*)(?: \w+)? \|$", section, re.MULTILINE)

    assert values == [
        str(value)
        for value in (
            MOST_BYTES // 1024, bounds.MOST_FIELDS, bounds.MOST_ENTITIES, bounds.MOST_KEY_FIELDS, bounds.MOST_FEATURES,
            bounds.MOST_FILTERS, bounds.MOST_SAME, bounds.MOST_VALUES, text(bounds.HORIZON_MS).removesuffix("d"),
        )
    ]  # fmt: skip


def _left_out() -> Iterator[tuple[str, set[str]]]:
    for name in BUILT_IN:
        for row in re.findall(rf"^\| `{name}` \| .*$", PAGE, re.MULTILINE):
            yield name, set(re.findall(r"\b[a-z]+(?:_[a-z0-9]+){2,}\b", row))


def test_what_a_starter_catalog_leaves_out_is_not_in_it() -> None:
    found = dict(_left_out())

    assert set(found) == {*BUILT_IN} - {"baseline"}
    for name, missing in found.items():
        assert missing
        assert not missing & {feature.name for feature in load_catalog(name).features}
