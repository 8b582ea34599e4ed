"""Files that a later start relies on are written by ``app.adapters.disk.durable_file``."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import REPOSITORY

WRITES = {"write_text", "write_bytes", "rename", "fsync"}
REASONS = {
    "adapters/disk/durable_file.py": "the order itself",
    "adapters/disk/private.py": "passwords, synced before a server is started with one",
    "adapters/disk/quarantine.py": "the rename and its sync, without new content",
    "adapters/models/bundles.py": "files of an unfinished bundle, published as a whole",
    "adapters/models/comparisons.py": "checked when read, and made again",
    "adapters/serde/published_schemas.py": "generated pages of this repository",
    "adapters/tabular/table_writer.py": "an unfinished file, published when it is complete",
    "demo/folder.py": "only its existence counts",
    "features/code_folders.py": "only its existence counts; its content is for a message",
    "local/connect.py": "written at each start",
    "local/java/jars.py": "checked by digest at each use; lock files of this repository",
    "local/java/runtime.py": "written at each start",
    "local/kafka.py": "written at each start",
    "local/stack.py": "an empty lock file",
}


def test_other_modules_write_no_file() -> None:
    writing = {
        path.relative_to(REPOSITORY / "app").as_posix()
        for path in (REPOSITORY / "app").rglob("*.py")
        if any(_writes(path))
    }

    assert writing == REASONS.keys()


def _writes(path: Path) -> Iterator[bool]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, words = node.func.attr, [getattr(arg, "value", None) for arg in node.args]
            yield name in WRITES
            yield (
                name == "replace"
                and len(node.args) == 1
                and not node.keywords
                and "durable_file" not in ast.unparse(node)
            )
            yield name == "open" and words[:1] in (["w"], ["wb"], ["x"], ["xb"])
