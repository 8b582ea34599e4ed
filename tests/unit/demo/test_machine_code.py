"""The machine code that the demo compiles while its servers start."""

from pathlib import Path

import pytest

from app.demo.machine_code import PARTS, compiling
from app.demo.models import with_models
from app.settings import Settings


def settings() -> Settings:
    return with_models(Settings.from_env({}), {})


def test_the_block_ends_when_everything_is_compiled(tmp_path: Path) -> None:
    with compiling(tmp_path, settings()) as processes:
        assert len(processes) == len(PARTS)

    assert [process.exit_code for process in processes] == [0, 0], [one.log_end() for one in processes]


def test_an_error_of_the_block_stops_the_processes(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the broker"), compiling(tmp_path, settings()) as processes:
        raise RuntimeError("the broker did not start")

    assert all(process.exit_code is not None for process in processes)
