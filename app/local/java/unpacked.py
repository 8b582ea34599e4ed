"""Verifies an unpacked archive: the archive is checked, but Java runs the files that lie in the folder."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from app.errors import StackError


def verify(folder: Path, sha256: str) -> None:
    """Raise StackError unless the folder holds exactly the files of the archive: none altered, missing, added or a link."""
    found = digest(folder)
    if found != sha256:
        raise StackError(
            f"{folder} is not what its archive holds (sha256 {found}, expected {sha256}): a file was altered, added or deleted. "
            "Delete the folder and start again: it is then unpacked again."
        )


def digest(folder: Path) -> str:
    """Return the SHA-256 over the path, kind and content of everything in the folder, in order of path."""
    whole = hashlib.sha256()
    for name, kind, content in sorted(_entries(folder)):
        whole.update(f"{name}\0{kind}\0{content}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def _entries(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            yield name, "link", str(path.readlink())
        elif path.is_file():
            with path.open("rb") as content:
                yield name, "file", hashlib.file_digest(content, "sha256").hexdigest()
        else:
            yield name, "folder", ""
