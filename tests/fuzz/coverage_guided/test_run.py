"""The fuzzer itself, for some hundred inputs, and inputs that end its process."""

import importlib.util
from pathlib import Path

import pytest

from tests.fuzz.coverage_guided.run import ended, run

needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no package for this platform"
)


@needs_atheris
def test_some_hundred_inputs() -> None:
    found = run("json", 7, 60, inputs=400, seeds=100)

    assert found.findings == {}
    assert found.inputs >= 400
    assert found.edges > 50  # none without instrumentation
    assert found.kept > 100
    assert len(found.outcomes) > 3


def test_an_input_that_ends_the_process_is_kept(tmp_path: Path) -> None:
    (tmp_path / "ended-timeout-0123").write_bytes(b"slow")

    assert ended(70, tmp_path) == {"ends the process with 70 (timeout)": b"slow"}


def test_an_end_without_an_input_shows_the_output(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"ImportError")

    assert ended(1, tmp_path) == {"the process ends with 1": b"ImportError"}
