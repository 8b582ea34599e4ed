"""Every command of the pages has a class, and those that need files only work as the pages write them."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.training.recipe import DEFAULT, Recipe, build, read_recipe
from tests.support.documents import fences
from tests.support.paths import REPOSITORY
from tests.walk.commands import COMMANDS, entry
from tests.walk.entries import Needs
from tests.walk.pages import Step, steps
from tests.walk.shell import Shell, clone, new_user
from tests.walk.walker import CommandFails, Walker, of_class

TABFORMER = """User,Card,Year,Month,Day,Time,Amount,Use Chip,Merchant Name,Merchant City,Merchant State,Zip,MCC,Errors?,Is Fraud?
0,0,2019,3,1,06:21,$134.09,Swipe Transaction,3527213246127876953,La Verne,CA,91750.0,5300,,No
0,0,2019,3,1,06:42,$38.48,Swipe Transaction,-727612092139916043,Monterey Park,CA,91754.0,5411,,No"""
EVALUATION = REPOSITORY / "docs" / "models" / "evaluation.md"


def recipes() -> list[str]:
    """The recipes that the page on training shows."""
    text = EVALUATION.read_text(encoding="utf-8")
    return [fence.text for fence in fences(text) if fence.language == "toml"]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    given = {"TABFORMER": TABFORMER, "RECIPE": recipes()[1]}
    folder = tmp_path / "clone"
    folder.mkdir()
    opened = Shell(clone(folder), new_user(tmp_path / "home") | given)
    yield opened
    opened.close()


def test_every_command_of_the_pages_has_a_class() -> None:
    assert [] == [f"{step.page}: {step.command}" for step in steps() if entry(step) is None]


def test_every_class_is_of_a_command_of_the_pages() -> None:
    assert set() == set(COMMANDS) - {step.command for step in steps()}


def test_what_is_not_run_has_a_reason() -> None:
    assert all(one.reason for one in COMMANDS.values() if one.needs is Needs.ELSEWHERE)


def test_a_command_without_a_class_is_found() -> None:
    assert entry(Step("README.md", "fraudstream score everything.parquet")) is None


def test_a_command_that_fails_is_found(shell: Shell) -> None:
    with pytest.raises(CommandFails, match="absent"):
        Walker(shell).run(
            Step("README.md", "fraudstream drift absent.parquet"),
            COMMANDS["fraudstream drift scores.parquet"],
        )


@pytest.mark.timeout(600)
def test_commands_that_need_files_only_work_from_an_empty_home(shell: Shell, tmp_path: Path) -> None:
    walker = Walker(shell)
    for step, how in of_class([Needs.FILES]):
        walker.run(step, how)

    assert not list((tmp_path / "clone").glob("*.tmp"))


@pytest.mark.parametrize("text", recipes())
def test_the_recipes_of_the_page_can_be_read_and_built(text: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")

    assert hasattr(build(read_recipe(path), seed=0), "predict_proba")


def test_the_first_recipe_of_the_page_names_every_key_with_its_default() -> None:
    shown = msgspec.convert(tomllib.loads(recipes()[0]), Recipe)

    assert msgspec.structs.replace(Recipe(), estimator=DEFAULT) == shown
    assert set(tomllib.loads(recipes()[0])) == set(Recipe.__struct_fields__) - {"steps"}
