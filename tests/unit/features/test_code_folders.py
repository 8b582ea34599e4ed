"""Machine code on disk: which folders are read and written, and what is compiled when they are damaged, old or read-only."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.features import compiled
from app.features.code_folders import CodeFolders, basis, choose
from app.features.columns import compile_fold

BASIS = {"sources": "s", "numba": "1", "python": "3", "processor": "p", "instructions": "i"}


def doubled(number: int) -> int:
    return 2 * number


def compilations(read: tuple[Path, ...], write: Path | None) -> int:
    """How often a process with these folders compiles a function that it calls twice."""
    before = len(compiled.compiled_now)
    function: Callable[[int], int] = compiled.compiled(doubled, lambda: CodeFolders(read, write))
    assert (4, 6) == (function(2), function(3))
    return len(compiled.compiled_now) - before


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The folder without write bits, for users other than root; root is not bound by them."""
    changed = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in changed:
        path.chmod(0o555)
    try:
        yield
    finally:
        for path in changed:
            path.chmod(0o755)


# Where code is read from and written to.


def test_a_basis_has_a_folder_that_is_made_in_the_first_candidate(tmp_path: Path) -> None:
    folders = choose(BASIS, [tmp_path / "a", tmp_path / "b"])

    assert folders == choose(BASIS, [tmp_path / "a", tmp_path / "b"])
    assert folders.write is not None
    assert folders.write.parent == tmp_path / "a"
    assert folders.read == (folders.write,)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", BASIS)
def test_another_basis_is_another_folder_and_the_difference_is_named(name: str, tmp_path: Path) -> None:
    before = choose(BASIS, [tmp_path])
    assert before.unfit == ()

    after = choose(BASIS | {name: "other"}, [tmp_path])

    assert before.read != after.read
    assert after.unfit == (f"{before.write} is for other {name}",)
    assert choose(BASIS | {name: "other"}, [tmp_path]).unfit == ()


def test_a_folder_of_unknown_basis_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "compiled-0123").mkdir()

    assert choose(BASIS, [tmp_path]).unfit == (
        f"{tmp_path / 'compiled-0123'} is for other sources, numba, python, processor, instructions",
    )


def test_a_change_of_any_source_file_is_another_basis(tmp_path: Path) -> None:
    """Numba itself looks at the file of the caller only."""
    for name in ("callers", "called"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "module.py").write_text(name)
    sources = [tmp_path / "callers", tmp_path / "called"]
    before = basis(sources)

    (tmp_path / "called" / "module.py").write_text("changed")

    assert ["sources"] == [name for name, value in basis(sources).items() if before[name] != value]


def test_the_packages_whose_functions_are_compiled_are_sources() -> None:
    assert ["features", "profiles", "scoring"] == [folder.name for folder in compiled._SOURCES]
    assert all((folder / "__init__.py").is_file() for folder in compiled._SOURCES)


def test_the_next_candidate_is_written_where_nothing_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    folders = choose(BASIS, [tmp_path / "file", tmp_path / "home" / ".cache"])

    assert [folder.parent for folder in folders.read] == [tmp_path / "home" / ".cache"]


def test_a_folder_that_is_not_writable_is_read_before_the_one_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    baked = choose(BASIS, [tmp_path / "image"]).write
    monkeypatch.setattr(os, "access", lambda path, _: path != baked)

    folders = choose(BASIS, [tmp_path / "image", tmp_path / "volume"])
    again = choose(BASIS, [tmp_path / "image", tmp_path / "volume"])

    assert folders.read == (baked,)
    assert folders.write is not None
    assert folders.write.parent == tmp_path / "volume"
    assert again.read == (baked, folders.write)


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    assert choose(BASIS, []) == CodeFolders((), None)
    assert compilations((), None) == 1
    assert content(tmp_path) == {}


# What is compiled.


def test_a_read_only_folder_is_used_without_a_compilation_or_a_file(tmp_path: Path) -> None:
    assert compilations((tmp_path,), tmp_path) == 1
    before = content(tmp_path)

    with read_only(tmp_path):
        assert compilations((tmp_path,), None) == 0

    assert before == content(tmp_path) != {}


def test_what_a_read_only_folder_lacks_is_kept_in_the_writable_one(tmp_path: Path) -> None:
    image, volume = tmp_path / "image", tmp_path / "volume"
    image.mkdir()

    with read_only(image):
        assert compilations((image,), volume) == 1
        assert compilations((image, volume), volume) == 0

    assert content(image) == {}


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("writable", [True, False])
def test_machine_code_that_is_cut_on_disk_is_made_again(
    suffix: str, kept: float, writable: bool, tmp_path: Path
) -> None:
    """Numba does not sync its files, and power loss may cut them: a worker must start all the same."""
    compilations((tmp_path,), tmp_path)
    (file,) = tmp_path.rglob(f"*.{suffix}")
    complete = file.read_bytes()
    file.write_bytes(complete[: int(kept * len(complete))])

    write = tmp_path if writable else tmp_path / "volume"
    assert compilations((tmp_path, write), write) == 1
    assert compilations((tmp_path, write), write) == 0


def test_a_folder_that_cannot_be_written_stops_nothing() -> None:
    assert compilations((), Path("/dev/null/no/folder")) == 1


def test_machine_code_of_another_source_file_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compilations((tmp_path,), tmp_path)
    stamp = compiled._Locator.get_source_stamp
    monkeypatch.setattr(compiled._Locator, "get_source_stamp", lambda self: stamp(self) + "changed")

    assert compilations((tmp_path,), tmp_path) == 1


def test_a_new_time_of_change_of_the_source_file_changes_nothing(tmp_path: Path) -> None:
    """Layers of images keep whole seconds only."""
    package, folder = tmp_path / "own", tmp_path / "code"
    package.mkdir()
    (package / "module.py").write_text(
        "from pathlib import Path\n"
        "from app.features import compiled\n"
        "from app.features.code_folders import CodeFolders\n"
        f"folder = Path({str(folder)!r})\n"
        "def doubled(number):\n    return 2 * number\n"
        "compiled.compiled(doubled, lambda: CodeFolders((folder,), folder))(2)\n"
        "print(len(compiled.compiled_now))\n"
    )

    def compiled_by_a_process() -> int:
        command = [sys.executable, str(package / "module.py")]
        return int(subprocess.run(command, check=True, capture_output=True, env=_environment()).stdout)  # noqa: S603  # our own words

    assert compiled_by_a_process() == 1
    os.utime(package / "module.py", (1, 1))
    assert compiled_by_a_process() == 0


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(compiled.__file__).parents[2])}


MOUNTED = """
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2" -c "$3"
"""
PROGRAM = """
from app.features.code_folders import CodeFolders
from app.features import compiled
from app.features.columns import compile_fold
folders = compiled.code_folders()
compile_fold()
print(len(compiled.compiled_now), folders.write)
"""


def test_a_file_system_that_is_read_only_is_used_by_the_fold_itself(tmp_path: Path) -> None:
    """In a mount namespace: permission bits do not bind root."""
    compile_fold()
    folder = compiled.code_folders().read[0]
    environment: dict[str, Any] = os.environ | {
        "NUMBA_CACHE_DIR": str(folder.parent),
        "HOME": "/dev/null",
        "TMPDIR": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = ["unshare", "--mount", "sh", "-c", MOUNTED, "sh", str(folder.parent), sys.executable, PROGRAM]
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)  # noqa: S603  # our own words
    if "Operation not permitted" in result.stderr or "ermission denied" in result.stderr:
        pytest.skip(f"no mount namespaces here: {result.stderr.strip()}")

    assert result.stderr == ""
    compilations, write = result.stdout.split()
    assert compilations == "0"
    assert not write.startswith(str(folder.parent))
    assert list(tmp_path.iterdir()) == []
