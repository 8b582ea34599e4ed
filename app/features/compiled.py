"""Compiles the fold to machine code: numba compiles a function at its first call and caches the result on disk.

numba discards a cached result if the file of the function changes, but not if another file changes whose functions it
calls. So the cache is a folder named by the digest of all source files of this package.
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
from numba.core.caching import FunctionCache

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_SOURCES = Path(__file__).parent


def cache_folder(sources: Path, candidates: Iterable[Path]) -> Path:
    """Return a folder for the machine code of these ``sources``, in the first candidate that is writable.

    If none is, a temporary folder: then every process compiles again.
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
    """Yield NUMBA_CACHE_DIR if it is set, the folder of the sources, and the user's cache folder."""
    if configured := vars(numba.config).get("CACHE_DIR"):
        yield Path(configured)
    yield _SOURCES / "__pycache__"
    with suppress(RuntimeError):  # the user of a container may have no home directory
        yield Path.home() / ".cache" / "fraudstream"


CODE_FOLDER = cache_folder(_SOURCES, _candidates())
"""Folder of the machine code, which later processes load."""
vars(numba.config)["CACHE_DIR"] = str(CODE_FOLDER)
# Without `fastmath`, which reorders operations: a recount must give the same bits.
# `error_model="numpy"`: a division by zero gives inf or NaN, as in numpy, instead of an exception.
_compile = partial(numba.njit, cache=True, nogil=True, error_model="numpy")


class _RepairingCache(FunctionCache):
    """numba's cache on disk, which counts a damaged file as absent: numba does not sync what it writes.

    After power loss a file may be empty or cut. numba would raise the error of unpickling it, and no worker could start.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return cast(Any, super()).load_overload(sig, target_context)
        except Exception:  # noqa: BLE001  # unpickling damaged bytes can raise any error; all of them mean: compile again
            cast(Any, self).flush()
            return None


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return the function as machine code. It may take numbers, arrays, records and tuples, and only call compiled functions."""
    dispatcher = cast(Any, _compile)(function)
    dispatcher._cache = cast(Any, _RepairingCache)(function)  # noqa: SLF001  # numba has no way to choose the cache
    return cast("Callable[Parameters, Result]", dispatcher)
