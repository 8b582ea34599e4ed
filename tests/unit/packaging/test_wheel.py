"""The wheel: built, checked, installed beside no checkout, and used from an empty directory."""

import stat
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from app import shipped
from app.shipped.copying import contents
from app.version import VERSION
from tests.support.paths import REPOSITORY

SECONDS = 120


class Ended(NamedTuple):
    """A command that has ended."""

    code: int
    output: str


def run(*words: str | Path, cwd: Path, environment: Mapping[str, str] | None = None) -> Ended:
    """Run a command with nothing of the checkout in its environment."""
    inherited = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "COLUMNS": "200"}
    done = subprocess.run(  # noqa: S603  # our own words
        [str(word) for word in words],
        check=False,
        cwd=cwd,
        env=inherited | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    return Ended(done.returncode, done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout with the installed build tools."""
    out = tmp_path_factory.mktemp("wheel")
    build = (
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "--wheel-dir",
        out,
    )
    ended = run(sys.executable, *build, REPOSITORY, cwd=out)
    assert ended.code == 0, ended.output
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of a fresh environment with the wheel. Its libraries are those of the tests."""
    place = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(place, symlinks=True)
    programs = place / "bin"
    below = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    (packages,) = place.glob("lib/python3.*/site-packages")
    (packages / "below.pth").write_text(below, encoding="utf-8")
    pip = ("-m", "pip", "--python", programs / "python", "install", "-q", "--no-deps", "--no-index", wheel)
    ended = run(sys.executable, *pip, cwd=place)
    assert ended.code == 0, ended.output
    return programs


def test_twine_finds_no_fault(wheel: Path) -> None:
    ended = run(sys.executable, "-m", "twine", "check", "--strict", wheel, cwd=wheel.parent)

    assert ended.code == 0, ended.output


def test_check_wheel_contents_finds_no_fault(wheel: Path) -> None:
    """pyproject.toml says what it is told to ignore, and why."""
    config = REPOSITORY / "pyproject.toml"
    ended = run(sys.executable, "-m", "check_wheel_contents", "--config", config, wheel, cwd=wheel.parent)

    assert ended.code == 0, ended.output


def test_the_wheel_holds_every_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    code = {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "app").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert (code - {"app/console_script.py"}) | {"fraudstream.py"} <= names
    for name in shipped.NAMES:
        for file in contents(REPOSITORY / shipped.IN_CHECKOUT[name]):
            assert f"app/shipped/files/{name}/{file.as_posix()}" in names
    assert {name.partition("/")[0] for name in names} == {
        "app",
        "fraudstream.py",
        f"fraudstream-{VERSION}.dist-info",
    }


def test_only_what_the_chart_links_to_is_in_the_wheel_twice(wheel: Path) -> None:
    """A wheel holds no links: pip would write the text of one where its file belongs."""
    equal: defaultdict[bytes, set[str]] = defaultdict(set)
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            assert not stat.S_ISLNK(entry.external_attr >> 16), entry.filename
            if entry.file_size:
                equal[archive.read(entry)].add(entry.filename)

    links = [path for path in (REPOSITORY / "deploy").rglob("*") if path.is_symlink()]
    linked = [{in_wheel(link), in_wheel(link.resolve())} for link in links]
    assert len(links) >= 3
    assert sorted(map(sorted, linked)) == sorted(sorted(names) for names in equal.values() if len(names) > 1)


def in_wheel(path: Path) -> str:
    """The name in the wheel of a file of deploy/."""
    return f"app/shipped/files/{path.relative_to(REPOSITORY).as_posix()}"


def test_the_command_runs_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import app; print(app.__file__)", cwd=tmp_path)

    assert where.output.startswith(str(installed.parent))
    assert run(installed / "fraudstream", "--version", cwd=tmp_path) == (0, f"fraudstream {VERSION}\n")
    assert run(installed / "python", "-m", "fraudstream", "--version", cwd=tmp_path).code == 0


def test_models_are_missing_until_they_are_copied(installed: Path, tmp_path: Path) -> None:
    command = installed / "fraudstream"

    empty = run(command, "model", "list", cwd=tmp_path)
    copied = run(command, "files", "copy", "models", cwd=tmp_path)
    listed = run(command, "model", "list", cwd=tmp_path)

    assert (empty.code, copied.code, listed.code) == (0, 0, 0)
    assert "fraudstream files copy models" in empty.output
    assert listed.output.split()[:2] == ["baseline/3", "[champion]"]


def test_every_shipped_folder_is_found_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    listed = run(installed / "fraudstream", "files", "list", cwd=tmp_path)

    assert listed.code == 0
    for name, line in zip(shipped.NAMES, listed.output.splitlines(), strict=True):
        count = len(contents(REPOSITORY / shipped.IN_CHECKOUT[name]))
        assert line.split()[:3] == [name, str(count), "files"]
        assert line.split()[3].startswith(str(installed.parent))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A directory of another program, with its own package `app`."""
    other = tmp_path / "app" / "__init__.py"
    other.parent.mkdir()
    other.write_text("raise RuntimeError('the shop opens')\n", encoding="utf-8")
    return tmp_path


def test_another_package_in_the_working_directory_does_not_matter(installed: Path, shop: Path) -> None:
    ended = run(installed / "fraudstream", "files", "list", cwd=shop)

    assert ended.code == 0, ended.output


def test_another_package_on_the_path_is_named_in_one_line(installed: Path, shop: Path) -> None:
    ended = run(installed / "fraudstream", "--version", cwd=shop, environment={"PYTHONPATH": str(shop)})

    assert ended.code == 2
    assert ended.output.count("\n") == 1
    assert str(shop / "app" / "__init__.py") in ended.output


def test_the_worker_of_a_demo_is_ours_too(installed: Path, shop: Path) -> None:
    """Faust looks for the package in the working directory first; the refusal of a setting shows that it found ours."""
    worker = ("-P", "-m", "app.worker_process", "info")
    environment = {"FRAUDSTREAM_WORKER_ROLE": "cashier"}

    ended = run(installed / "python", *worker, cwd=shop, environment=environment)

    assert "FRAUDSTREAM_WORKER_ROLE" in ended.output
    assert "the shop opens" not in ended.output
