"""What a worker's log says about machine code: nothing where it fits, else why it was compiled and where it is kept."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.features.code_folders import CodeFolders
from app.streaming.roles import machine_code


def events(monkeypatch: pytest.MonkeyPatch, folders: CodeFolders, compiled: list[str]) -> list[Any]:
    """The log of a start with these folders that compiles these functions."""
    now: list[str] = []
    monkeypatch.setattr(machine_code, "code_folders", lambda: folders)
    monkeypatch.setattr(machine_code, "compiled_now", now)
    with capture_logs() as found:
        machine_code.prepare(lambda: now.extend(compiled))
    return found


def test_machine_code_that_fits_is_not_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert events(monkeypatch, CodeFolders((Path("/image"),), None), []) == []


def test_machine_code_that_does_not_fit_is_named_before_the_compilation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    why = "/image/compiled-1 is for other processor"
    found = events(monkeypatch, CodeFolders((), Path("/volume"), (why,)), ["fold", "square"])

    assert found == [
        {"event": "machine_code_unfit", "log_level": "warning", "why": why},
        {"event": "machine_code_compiled", "log_level": "info", "functions": 2, "kept": "/volume"},
    ]


def test_a_worker_that_can_keep_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    [found] = events(monkeypatch, CodeFolders((), None), ["fold"])

    assert found["kept"] == "nowhere: every start compiles again"
