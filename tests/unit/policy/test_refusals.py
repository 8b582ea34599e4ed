"""A wrong policy is refused with all of its mistakes, each with line, column, key and remedy; every message has a case."""

import ast
import sys
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType

import pytest

from app.checking.table import Table
from app.errors import InvalidExpression
from app.expressions.checking.checker import condition
from app.expressions.names import Kind
from app.policy.bounds import MOST_BANDS, MOST_CHANNELS, MOST_LISTS, MOST_RULES, MOST_TEST_ENTRIES, MOST_TESTS
from app.policy.definitions import DeclaredList
from app.policy.names import policy_names
from tests.support.paths import REPOSITORY
from tests.unit.expressions.cases import hostile
from tests.unit.policy.cases import HEAD, Case, catalog, parsed, refused, rule

REFUSED = refused()
TEST = "[[rules.tests]]\ngiven = {}\nexpect = false\n"
COST = "the conditions cost 10,152 units a transaction; at most 10,000 are allowed"
BEYOND = (
    Case(rule(1, more=TEST * (MOST_TESTS + 1)), ("10:9: rules[0].tests: 51 tests; a rule has at most 50",)),
    Case(
        rule(1, more=f"{TEST}lists = {{ bad_devices = {['d'] * (MOST_TEST_ENTRIES + 1)} }}\n"),
        ("13:11: rules[0].tests[0].lists.bad_devices: 101 entries; a test has at most 100 of a list",),
    ),
    Case("".join(map(rule, range(MOST_RULES + 1))), ("1:3: rules: 257 rules; at most 256 are allowed",)),
    Case(
        "[[bands]]\nchannel = 'a'\nreview = 0\ndecline = 1\n" * (MOST_BANDS + 1),
        ("1:3: bands: 65 bands; at most 64 are allowed",),
    ),
    Case(
        "".join(f'l{number} = {{ kind = "text" }}\n' for number in range(MOST_LISTS - 1)),
        ("-2:2: lists: 65 lists; at most 64 are allowed",),
    ),
    Case(
        '[deadline]\ndefault = "review"\nchannels = { '
        + ", ".join(f'c{number} = "approve"' for number in range(MOST_CHANNELS + 1))
        + " }\n",
        ("3:1: deadline.channels: 65 channels; at most 64 are allowed",),
    ),
    Case(
        "".join(rule(number, " and ".join(["score > 0"] * 125)) for number in range(27)),
        (f"1:3: rules: {COST}; remove rules that are off or expired",),
    ),
)
CASES = [*REFUSED, *BEYOND]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.said[0][:60]}-{n}" for n, case in enumerate(CASES)])
def test_a_wrong_policy_is_refused_with_all_its_mistakes(case: Case) -> None:
    assert case.found == case.said


def test_no_text_is_in_the_corpus_twice() -> None:
    assert len({(case.text, case.whole) for case in REFUSED}) == len(REFUSED) >= 90


def test_the_head_of_the_cases_is_sound() -> None:
    assert Case(HEAD, (), whole=True).found == ()
    assert Case(rule(), ()).found == ()


def test_hostile_conditions_are_refused_at_their_line_and_column() -> None:
    """All but those of which only the values of a category are wrong: the fields are texts here."""
    names = policy_names(catalog(), [DeclaredList(name="bad_devices", kind=Kind.IDENTIFIER)])
    line, begin, count = HEAD.count("\n") + 3, len('when = "') + 1, 0
    for text in {case.text for case in hostile()} - {""}:
        quoted = text.translate({character: f"\\u{character:04x}" for character in [*range(32), 34, 92, 127]})
        mistakes = parsed(HEAD + rule(when=quoted)).mistakes
        with suppress(InvalidExpression):
            condition(text, names)
            assert mistakes == ()
            continue
        (mistake,) = mistakes
        count += 1
        assert (mistake.problem.key, mistake.line) == ("rules[0].when", line)
        assert mistake.problem.within is not None
        assert begin <= mistake.column <= begin + len(quoted)

    assert count >= 200


def test_the_place_of_a_mistake_is_that_of_the_word_in_the_file() -> None:
    """Whatever stands before it: escapes, other lines of the condition, a text of several lines."""
    for before in ("country == 'é' and ", "country == \\u0022a\\u0022 and ", 'country == \\"a\\" or '):
        text = HEAD + rule(when=f"{before}amout > 5 EUR")
        (mistake,) = parsed(text).mistakes

        assert text.split("\n")[mistake.line - 1][mistake.column - 1 :].startswith("amout > ")


def test_every_message_of_the_source_has_a_case() -> None:
    assert set(_sites()) == _refusing(CASES)


def _sites() -> Iterator[str]:
    """Every call of ``refuse``, as file and line."""
    for path in (REPOSITORY / "app" / "policy" / "checking").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "refuse"
            ):
                yield f"{path.name}:{node.lineno}"


def _refusing(cases: list[Case]) -> set[str]:
    """The calls of ``refuse`` that the cases make."""
    found: set[str] = set()

    def record(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is Table.refuse.__code__ and frame.f_back is not None:
            folder, _, name = frame.f_back.f_code.co_filename.rpartition("/")
            if folder.endswith("policy/checking"):
                found.add(f"{name}:{frame.f_back.f_lineno}")

    sys.setprofile(record)
    try:
        for case in cases:
            assert case.found
    finally:
        sys.setprofile(None)
    return found
