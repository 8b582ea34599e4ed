"""The guide, and every other command that needs Kafka, from an empty HOME: one stack, the four workers, the pages in order."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.local import stack as local_stack
from tests.walk.entries import Entry, Needs
from tests.walk.pages import Step
from tests.walk.shell import Shell, clone, new_user
from tests.walk.test_pages import TABFORMER, recipes
from tests.walk.walker import Walker, of_class

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LAST = "fraudstream stack down"
AFTER_PRODUCE = "fraudstream produce traffic.parquet --rate 1000"
DAMAGED = Step("the walk", "a record that can never be scored")
"""The guide's traffic has no dead letter; the page on dead letters needs one."""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    folder = tmp_path / "clone"
    folder.mkdir()
    given = {"TABFORMER": TABFORMER, "RECIPE": recipes()[1]}
    opened = Shell(clone(folder), new_user(tmp_path / "home") | given)
    yield opened
    opened.close()
    local_stack.stop(folder / ".fraudstream" / "stack")


def in_order() -> Iterator[tuple[Step, Entry]]:
    """The steps as the pages have them, the end of the stack last."""
    found = list(of_class([Needs.FILES, Needs.KAFKA]))
    yield from (pair for pair in found if pair[0].command != LAST)
    yield from (pair for pair in found if pair[0].command == LAST)


@pytest.mark.timeout(1800)
def test_commands_that_need_kafka_work_from_an_empty_home(shell: Shell) -> None:
    walker = Walker(shell)
    for step, how in in_order():
        walker.run(step, how)
        if step.command == AFTER_PRODUCE:
            walker.run(DAMAGED, Entry(Needs.KAFKA, "python -m tests.walk.damaged_record"))
    walker.check_all_output()
