"""How the fold becomes machine code: numba compiles it at first use and keeps the result on disk.

numba's own rule for a stale result looks at the file of the function alone, not at what the function calls in
other files. So the results lie in a folder named by the digest of every source file here.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_SOURCES = Path(__file__).parent


def cache_folder(sources: Path, candidates: Iterable[Path]) -> Path:
    """A folder for the machine code of just these ``sources``, in the first candidate that can be written.

    Where none can, a temporary one: the next process compiles again.
    """
    digest = sha256(b"".join(path.read_bytes() for path in sorted(sources.glob("*.py")))).hexdigest()[:16]
    for folder in (candidate / f"compiled-{digest}" for candidate in candidates):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="fraudstream-compiled-"))


def _candidates() -> Iterator[Path]:
    """Where numba was told to (NUMBA_CACHE_DIR), else beside the sources, else in the user's cache."""
    if told := vars(numba.config).get("CACHE_DIR"):
        yield Path(told)
    yield _SOURCES / "__pycache__"
    with suppress(RuntimeError):  # a user of a container may have no home
        yield Path.home() / ".cache" / "fraudstream"


CODE_FOLDER = cache_folder(_SOURCES, _candidates())
"""Where the machine code is kept between processes."""
vars(numba.config)["CACHE_DIR"] = str(CODE_FOLDER)
# Not `fastmath`: every operation is the one that is written, so that a recount is equal to the bit.
_compile = partial(numba.njit, cache=True, nogil=True, error_model="numpy")


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function as machine code. It takes numbers, numpy arrays and records, and calls its like only."""
    return cast("Callable[Parameters, Result]", cast(Any, _compile)(function))
