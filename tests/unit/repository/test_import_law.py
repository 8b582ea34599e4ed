"""Imports point inwards: the law of pyproject.toml is a test."""

from pathlib import Path

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tests.support.paths import REPOSITORY


def test_imports_point_inwards_and_the_core_knows_nothing_of_the_outside(tmp_path: Path) -> None:
    status = lint_imports(config_filename=str(REPOSITORY / "pyproject.toml"), cache_dir=str(tmp_path))

    assert status == EXIT_STATUS_SUCCESS
