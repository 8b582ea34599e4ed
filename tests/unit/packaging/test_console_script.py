"""The console script says when Python finds another package named ``app``."""

from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

import pytest

from app import console_script
from tests.support.paths import REPOSITORY


def found_in(place: Path) -> ModuleSpec | None:
    return PathFinder.find_spec("app", [str(place)])


def test_our_package_is_recognised() -> None:
    assert not console_script.remedy(found_in(REPOSITORY))


@pytest.mark.parametrize("text", ["", '"""A shop."""\n', "raise RuntimeError\n"])
def test_another_package_is_named_and_not_imported(tmp_path: Path, text: str) -> None:
    other = tmp_path / "app" / "__init__.py"
    other.parent.mkdir()
    other.write_text(text, encoding="utf-8")

    remedy = console_script.remedy(found_in(tmp_path))

    assert str(other) in remedy
    assert "virtual environment" in remedy


def test_a_folder_without_a_package_and_a_module_are_others_too(tmp_path: Path) -> None:
    (tmp_path / "a" / "app").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "app.py").write_text("", encoding="utf-8")

    assert str(tmp_path / "a" / "app") in console_script.remedy(found_in(tmp_path / "a"))
    assert str(tmp_path / "b" / "app.py") in console_script.remedy(found_in(tmp_path / "b"))


def test_no_package_at_all_is_an_incomplete_installation(tmp_path: Path) -> None:
    assert "Install it again" in console_script.remedy(found_in(tmp_path))
