"""Each attack in the threat model names a test that exists, and each script of an attack is in the table."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY

PAGE = (REPOSITORY / "docs" / "operate" / "security.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## Attacks and their tests\n")[2].partition("\n## ")[0]
ROWS = [line for line in TABLE.splitlines() if line.startswith("| ")][2:]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
SCRIPTS = REPOSITORY / ".." / "shared" / "cases" / "16-attacks"


def test_the_table_is_found() -> None:
    assert len(ROWS) > 20


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:60])
def test_an_attack_names_its_test(row: str) -> None:
    (found,) = TEST.findall(row)
    path, name = found
    tree = ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))

    assert name in {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.skipif(not SCRIPTS.is_dir(), reason="the scripts of the attacks are not beside this checkout")
def test_each_script_of_an_attack_is_in_the_table() -> None:
    scripts = {path.stem for path in Path(SCRIPTS).glob("*.py")}

    assert scripts == {name for name in scripts if f"*{name}*" in TABLE}
