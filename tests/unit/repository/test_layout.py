"""The layout of the source: small folders, and packages that say what they hold."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY

MAX_FILES = 20
SOURCES = ("app", "tests", "bench")

MAX_ANY_PER_1000_LINES = 5
TYPED = ("app/streaming", "app/processing", "app/topics", "app/reference")


def sources(top: str) -> list[Path]:
    return [
        path for path in (REPOSITORY / top).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]


@pytest.mark.parametrize("top", SOURCES)
def test_no_folder_has_more_files_than_a_reader_can_survey(top: str) -> None:
    files = Counter(
        path.parent.relative_to(REPOSITORY).as_posix()
        for path in sources(top)
        if path.suffix not in {".json", ".md", ".log"}
    )

    crowded = {folder: count for folder, count in files.items() if count > MAX_FILES}

    assert not crowded


def test_every_package_says_what_it_holds() -> None:
    packages = [path for path in sources("app") if path.name == "__init__.py"]

    assert [
        path for path in packages if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ] == []


def test_streaming_code_names_its_types() -> None:
    modules = [path for top in TYPED for path in sources(top) if path.suffix == ".py"]
    lines = any_uses = 0
    for path in modules:
        text = path.read_text(encoding="utf-8")
        lines += len(text.splitlines())
        any_uses += sum(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(ast.parse(text)))

    assert any_uses * 1000 / lines <= MAX_ANY_PER_1000_LINES
