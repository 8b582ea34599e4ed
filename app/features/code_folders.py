"""Where machine code is kept: the folders it is read from, and the one it is written to.

A folder is named by a digest of everything that machine code depends on, so that code of other sources, another numba or
another processor is never read. A folder may be read-only, such as one that was filled while an image was built. What it
lacks is compiled and kept in the first folder that is writable. If none is, it is kept in memory, and each process compiles
it again; nothing is left in a temporary folder.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import llvmlite.binding
import numba

PREFIX = "compiled-"
BASIS_FILE = "basis.json"
Basis = Mapping[str, str]


class CodeFolders(NamedTuple):
    """The folders of this process."""

    read: tuple[Path, ...]
    """Those that exist with the right basis; the first one that has a function is used."""
    write: Path | None
    """Where newly compiled functions are kept. None: nowhere."""
    unfit: tuple[str, ...] = ()
    """Why machine code that is there is not used: the newest of each candidate, if none fits."""


def basis(sources: Iterable[Path]) -> Basis:
    """Return what machine code depends on: the source files in these folders, numba, Python and the processor.

    numba discards a cached result if the file of the function changes, but not if another file changes whose functions it
    calls.
    """
    content = b"".join(path.read_bytes() for folder in sources for path in sorted(folder.glob("*.py")))
    set_by_user = vars(numba.config)
    name, features = set_by_user["CPU_NAME"], set_by_user["CPU_FEATURES"]
    processor = llvmlite.binding.get_host_cpu_name() if name is None else name
    able = llvmlite.binding.get_host_cpu_features().flatten() if features is None else features
    return {
        "sources": sha256(content).hexdigest()[:16],
        "numba": numba.__version__,
        "python": sys.implementation.cache_tag or sys.version,
        "processor": processor,
        "instructions": sha256(able.encode()).hexdigest()[:16],
    }


def choose(wanted: Basis, candidates: Iterable[Path]) -> CodeFolders:
    """Return the folders of a basis in these candidates, in order. A missing folder is made in the first that allows it."""
    name = PREFIX + sha256(json.dumps(dict(wanted)).encode()).hexdigest()[:16]
    parents = list(candidates)
    folders = [parent / name for parent in parents]
    read = tuple(folder for folder in folders if (folder / BASIS_FILE).is_file())
    unfit = () if read else tuple(_unfit(wanted, parents))
    write = next((folder for folder in folders if _writable(folder, wanted)), None)
    return CodeFolders(read or ((write,) if write else ()), write, unfit)


def _writable(folder: Path, wanted: Basis) -> bool:
    """Make the folder, unless it is there, and return whether it is writable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            return False
        if not (folder / BASIS_FILE).exists():
            (folder / BASIS_FILE).write_text(json.dumps(dict(wanted)), encoding="utf-8")
    except OSError:
        return False
    return True


def _unfit(wanted: Basis, parents: Iterable[Path]) -> Iterator[str]:
    """Yield the difference of the newest folder in each parent."""
    for parent in parents:
        others = sorted(parent.glob(f"{PREFIX}*"), key=lambda folder: folder.stat().st_mtime)
        for folder in others[-1:]:
            found: Basis = {}
            with suppress(OSError, ValueError):
                found = json.loads((folder / BASIS_FILE).read_bytes())
            differing = [name for name, value in wanted.items() if found.get(name) != value]
            yield f"{folder} is for other {', '.join(differing)}"
