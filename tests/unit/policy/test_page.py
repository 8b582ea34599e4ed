"""docs/models/policies.md: its examples are sound, its messages are real, its bounds are those of the code."""

import re

from app.adapters.policy_file.reader import parsed
from app.adapters.toml_file.reader import MOST_BYTES
from app.domain.outcomes.policy import Effect, RuleMode
from app.policy import bounds
from app.policy.checking.rules import KEYS
from tests.support.documents import fences
from tests.support.paths import REPOSITORY
from tests.unit.policy.cases import baseline, refused

PAGE = (REPOSITORY / "docs" / "models" / "policies.md").read_text(encoding="utf-8")
FIRST, *FURTHER = (fence.text for fence in fences(PAGE) if fence.language == "toml")


def test_the_examples_are_sound_one_after_the_other() -> None:
    whole = FIRST
    assert parsed(whole.encode(), baseline()).mistakes == ()
    for example in FURTHER:
        whole += example
        assert parsed(whole.encode(), baseline()).mistakes == ()


def test_the_messages_are_those_of_the_check() -> None:
    (shown,) = (fence.text for fence in fences(PAGE) if fence.language == "text")
    said = {re.sub(r"^[-0-9:]+ ", "", line) for case in refused() for line in case.said}

    assert {re.sub(r"^policy.toml:[0-9:]+ ", "", line) for line in shown.splitlines()} <= said


def test_the_table_has_every_key_of_a_rule() -> None:
    section = PAGE.partition("## Rules\n")[2].partition("## Rules that")[0]

    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == KEYS
    assert {f"`{word}`" for words in (Effect, RuleMode) for word in words} <= set(
        re.findall(r"`\w+`", section)
    )


def test_the_bounds_are_those_of_the_code() -> None:
    section = PAGE.partition("## Bounds")[2]
    values = re.findall(r"^\| .* \| ([0-9]\S*)(?: \w+)? \|$", section, re.MULTILINE)

    assert [int(value.replace(",", "")) for value in values] == [
        MOST_BYTES,
        bounds.MOST_RULES,
        bounds.MOST_BANDS,
        bounds.MOST_LISTS,
        bounds.MOST_TESTS,
        bounds.MOST_TEST_ENTRIES,
        bounds.MOST_CHANNELS,
        bounds.MOST_COST,
    ]
