"""The Dockerfile against the code: what it names exists. The image itself is tested in tests/integration/image."""

import json
import re
from importlib.util import find_spec
from pathlib import Path

from app.settings import setting_names
from tests.support.paths import REPOSITORY

TEXT = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()


def test_the_health_check_is_a_module_of_this_program() -> None:
    words = json.loads(re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", TEXT, re.MULTILINE)[0])

    assert words[:2] == ["python", "-m"]
    assert find_spec(words[2]) is not None


def test_the_modules_of_the_build_exist() -> None:
    named = set(re.findall(r"from (app\.\S+) import|python -m (app\.\S+)", TEXT))

    assert len(named) == 5
    assert all(find_spec("".join(found)) for found in named)


def test_every_copied_file_is_in_the_context() -> None:
    copied = [
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", TEXT, re.MULTILINE)
        for word in line.split()[:-1]
    ]

    assert "app" in copied
    assert all((REPOSITORY / name).exists() for name in copied)
    assert set(copied) <= {line.removeprefix("!") for line in IGNORED if line.startswith("!")}


def test_every_named_setting_exists() -> None:
    known = {name for name, _ in setting_names()}
    named = set(re.findall(r"FRAUDSTREAM_[A-Z0-9_]+", TEXT))

    assert {"FRAUDSTREAM_MODEL_DIR", "FRAUDSTREAM_WORKER_DATA_DIR"} <= named <= known


def test_machine_code_is_baked_before_the_user_changes_and_outside_of_the_volume() -> None:
    """So that the user who runs workers cannot change it, and a volume does not hide it."""
    cache = re.findall(r"NUMBA_CACHE_DIR=(\S+)", TEXT)[0]
    (volume,) = re.findall(r"^VOLUME (\S+)$", TEXT, re.MULTILINE)

    assert not Path(cache).is_relative_to(volume)
    assert TEXT.index("compile_fold()") < TEXT.index("\nUSER 10001")
    assert f"HOME={volume} " in TEXT
