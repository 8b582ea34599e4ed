"""Every door gives the same transaction, or the same reason, for the same raw value."""

import pytest

from tests.contract.doors.table import disagreements, outcomes, page
from tests.contract.doors.values import CASES, Case
from tests.support.paths import REPOSITORY

PAGE = REPOSITORY / "docs" / "data" / "one-contract.md"


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=f"{group}: {case.name}") for group, cases in CASES.items() for case in cases],
)
def test_all_doors_agree(case: Case) -> None:
    assert disagreements(case, outcomes(case)) == []


def test_the_committed_table_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "python -m tests.contract.doors > docs/data/one-contract.md"
    )
