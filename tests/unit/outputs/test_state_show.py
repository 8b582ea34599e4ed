"""`fraudstream state show` with profiles and customers that nothing has written."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer

from app.commands.audit import state
from app.errors import StateCorrupt
from app.features import state as profiles
from app.features.profile_view import view
from tests.unit.outputs.hostile import is_harmless

EXTREMES = (0, 1, -1, 2**31, 2**62, 2**63 - 1, -(2**63), 0x7FF8_0000_0000_0000, 0x7FF0_0000_0000_0000)


def _damaged_profiles() -> Iterator[bytes]:
    words = np.frombuffer(profiles.EMPTY, np.int64)
    for at in range(len(words)):
        for extreme in EXTREMES:
            changed = words.copy()
            changed[at] = extreme
            yield changed.tobytes()
    yield from (b"", b"\0" * 8, profiles.EMPTY[:-1], profiles.EMPTY + bytes(8), b"\xff" * len(profiles.EMPTY))


@pytest.mark.parametrize("as_json", [False, True])
def test_a_profile_of_any_numbers_is_printed_or_refused(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = 0
    for data in _damaged_profiles():
        try:
            found = view(data)
        except StateCorrupt:
            continue
        state._print_profile("c1", found, 5, as_json=as_json)
        shown = capsys.readouterr().out
        assert is_harmless(shown)
        if as_json:
            json.loads(shown, parse_constant=pytest.fail)
        printed += 1
    assert printed > 100


def test_a_customer_of_the_command_line_that_is_no_text_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys: list[bytes] = []
    monkeypatch.setattr("app.replay.stored_profiles.from_data_dir", lambda _, __, key: keys.append(key))
    with pytest.raises(typer.Exit):
        state.show("\udcff\x1b", tmp_path, events=1, json=False)

    assert keys == [b"\xff\x1b"]
    assert is_harmless(capsys.readouterr().err)
