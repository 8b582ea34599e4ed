"""`fraudstream cdc demo` from nothing: rows in, alerts out, every row accounted for, and no process left behind."""

import json
import subprocess
from pathlib import Path

import pytest

from app.demo.folder import STACK
from app.local import stack as local_stack
from tests.support.commands import COMMAND
from tests.support.paths import REPOSITORY

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

ROWS = 500


def test_rows_become_decisions_and_alerts_are_shown(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    try:
        done = subprocess.run(  # noqa: S603  # ours
            [COMMAND, "cdc", "demo", "--dir", str(directory), "--rows", str(ROWS), "--json"],
            check=False,
            cwd=REPOSITORY,
            capture_output=True,
            timeout=550,
        )
        assert done.returncode == 0, done.stderr.decode()
        found = json.loads(done.stdout)
        assert (ROWS, ROWS, 0) == (found["rows"], found["decided"], found["repeated"])
        assert b"all decided after" in done.stderr
        assert local_stack.status(directory / STACK) is None
    finally:
        local_stack.stop(directory / STACK)
