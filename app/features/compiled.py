"""How the fold becomes machine code: numba compiles it at first use and keeps the result on disk.

numba's own rule for a stale result looks at the file of the function alone, not at what the function calls in
other files. So the results lie in a folder named by the digest of every source file here.
"""

import os
import tempfile
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_HERE = Path(__file__).parent


def _cache_folder() -> Path:
    """Beside the sources where that can be written, else in the user's cache, else a temporary one."""
    digest = sha256(b"".join(path.read_bytes() for path in sorted(_HERE.glob("*.py")))).hexdigest()[:16]
    candidates = (_HERE / "__pycache__", Path.home() / ".cache" / "fraudstream")
    for folder in (candidate / f"compiled-{digest}" for candidate in candidates):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="fraudstream-compiled-"))


vars(numba.config)["CACHE_DIR"] = str(_cache_folder())
# Not `fastmath`: every operation is the one that is written, so that a recount is equal to the bit.
_compile = partial(numba.njit, cache=True, nogil=True, error_model="numpy")


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function as machine code. It takes numbers, numpy arrays and records, and calls its like only."""
    return cast("Callable[Parameters, Result]", cast(Any, _compile)(function))
