"""`make setup` installs a lock in two halves."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lock_files import lines
from tests.support.paths import REPOSITORY

LOCK = "requirements.lock"
PYTHON = """#!/bin/sh
case "$*" in
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    *{broken}*) exit 3 ;;
esac
"""
"""Stands for Python: makes an environment with itself, and fails for arguments that name ``broken``."""

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def set_up(folder: Path, broken: str) -> subprocess.CompletedProcess[str]:
    for name in (LOCK, "pyproject.toml"):
        shutil.copy(REPOSITORY / name, folder)
    (folder / "app").mkdir()
    (folder / "app" / "console_script.py").touch()
    python = folder / "python"
    python.write_text(PYTHON.format(broken=broken), encoding="utf-8")
    python.chmod(0o755)
    command = ["make", "-f", str(REPOSITORY / "Makefile"), "setup", f"PYTHON={python}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  # our own list


@needs_make
def test_the_halves_are_the_lock(tmp_path: Path) -> None:
    done = set_up(tmp_path, broken="nothing")

    halves = [(tmp_path / ".venv" / f"half-{half}.lock").read_text(encoding="utf-8") for half in (0, 1)]
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".venv" / ".installed").exists()
    assert done.stdout.splitlines() == [f"installing the packages of {LOCK} into .venv ..."]
    named = [
        line.removesuffix("\\").strip() for half in halves for line in half.splitlines() if line[0].isalnum()
    ]
    assert sorted(named) == sorted(lines(LOCK))
    hashes = sum(half.count("--hash=") for half in halves)
    assert hashes == (REPOSITORY / LOCK).read_text(encoding="utf-8").count("--hash=")


@needs_make
@pytest.mark.parametrize("broken", ["half-0.lock", "half-1.lock", "--no-build-isolation"])
def test_a_part_that_fails_fails_the_set_up(tmp_path: Path, broken: str) -> None:
    done = set_up(tmp_path, broken)

    assert done.returncode != 0
    assert not (tmp_path / ".venv" / ".installed").exists()
