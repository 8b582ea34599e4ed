"""The import contracts of pyproject.toml hold."""

import subprocess
import sys
from pathlib import Path

from tests.support.paths import REPOSITORY

LINT = """
import sys
from importlinter.cli import lint_imports

sys.exit(lint_imports(config_filename=sys.argv[1], cache_dir=sys.argv[2]))
"""


def test_the_import_contracts_hold(tmp_path: Path) -> None:
    """In a process of its own: import-linter turns off the loggers of its process, and with them those that later tests read."""
    command = [sys.executable, "-c", LINT, str(REPOSITORY / "pyproject.toml"), str(tmp_path)]
    linted = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)  # noqa: S603  # ours

    assert linted.returncode == 0, linted.stdout + linted.stderr
