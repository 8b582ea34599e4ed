"""Without the programs that build and run the image its tests are skipped, and the reason names what to install."""

import os
from pathlib import Path

import pytest

from bench.image.builder import PROGRAMS, missing


def program(directory: Path, name: str) -> None:
    (directory / name).touch(mode=0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="without root, builder.missing() names root before any program")
@pytest.mark.parametrize("absent", PROGRAMS)
def test_what_is_absent_is_named(absent: str, tmp_path: Path) -> None:
    for name in set(PROGRAMS) - {absent}:
        program(tmp_path, name)

    assert missing(str(tmp_path)) == f"not installed: {absent} (packages of Debian)"

    program(tmp_path, absent)

    assert missing(str(tmp_path)) == ""
