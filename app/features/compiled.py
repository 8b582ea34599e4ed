"""Compiles the fold to machine code: numba compiles a function at its first call and caches the result on disk.

``code_folders`` says in which folders. numba's own cache knows only one folder, which must be writable.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, NullCache, UserProvidedCacheLocator

from app.features.code_folders import CodeFolders, basis, choose

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_HERE = Path(__file__).parent
_SOURCES = (_HERE, _HERE.parent / "profiles", _HERE.parent / "scoring")
"""The packages whose compiled functions call each other."""

compiled_now: list[str] = []
"""The functions that this process has compiled, because no folder has them."""


@cache
def code_folders() -> CodeFolders:
    """Return the folders of the machine code, chosen once per process."""
    return choose(basis(_SOURCES), _candidates())


def _candidates() -> Iterator[Path]:
    """Yield NUMBA_CACHE_DIR if it is set, the folder of the sources, and the user's cache folder."""
    if configured := vars(numba.config).get("CACHE_DIR"):
        yield Path(configured)
    yield _HERE / "__pycache__"
    with suppress(RuntimeError):  # the user of a container may have no home directory
        yield Path.home() / ".cache" / "fraudstream"


# Without `fastmath`, which reorders operations: a recount must give the same bits.
# `error_model="numpy"`: a division by zero gives inf or NaN, as in numpy, instead of an exception.
_compile = partial(numba.njit, nogil=True, error_model="numpy")


class _Locator(UserProvidedCacheLocator):
    """Places the files of a function in a folder. Unlike numba's own locators it does not require that it can write there."""

    def __init__(self, function: Any, file: str, folder: Path) -> None:
        cast(Any, super()).__init__(function, file)
        self._cache_path = str(folder / cast(Any, self).get_suitable_cache_subpath(file))
        self._stamp = sha256(Path(file).read_bytes()).hexdigest()

    def get_source_stamp(self) -> str:
        """Return a digest. The time of change, which numba takes in some releases, can be lost in an image."""
        return self._stamp


class _LocatorMaker:
    """Stands for a class of locators, which numba asks in this way for one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def from_function(self, function: Any, file: str) -> _Locator:
        return _Locator(function, file, self._folder)


class _Files(CompileResultCacheImpl):
    _locator_classes: Any

    def __init__(self, function: Any, folder: Path) -> None:
        self._locator_classes = [_LocatorMaker(folder)]
        cast(Any, super()).__init__(function)


class _FolderCache(FunctionCache):
    """numba's cache in one folder."""

    _impl_class: Any

    def __init__(self, function: Any, folder: Path) -> None:
        self._impl_class = partial(_Files, folder=folder)
        cast(Any, super()).__init__(function)


class _Cache(NullCache):
    """The cache of a function over several folders. They are chosen at the first call, not while modules are imported.

    A damaged file counts as absent: numba does not sync what it writes, so that after power loss a file may be empty or cut.
    numba would raise the error of unpickling it, and no worker could start.
    """

    def __init__(self, function: Any, folders: Callable[[], CodeFolders]) -> None:
        self._function = function
        self._folders = folders

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the machine code for a signature, from the first folder that has it; None if none has."""
        for folder in self._folders().read:
            stored: Any = _FolderCache(self._function, folder)
            try:
                found = stored.load_overload(sig, target_context)
            except Exception:  # noqa: BLE001  # unpickling damaged bytes can raise any error; all of them mean: compile again
                with suppress(OSError):  # a folder that is read-only stays as it is
                    stored.flush()
                continue
            if found is not None:
                return found
        compiled_now.append(self._function.__qualname__)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep new machine code. Without a folder, or on a full disk, only this process has it."""
        if (folder := self._folders().write) is not None:
            with suppress(OSError):
                cast(Any, _FolderCache(self._function, folder)).save_overload(sig, data)


def compiled(
    function: Callable[Parameters, Result], folders: Callable[[], CodeFolders] = code_folders
) -> Callable[Parameters, Result]:
    """Return the function as machine code. It may take numbers, arrays, records and tuples, and only call compiled functions."""
    return _cached(cast(Any, _compile)(function), function, folders)


def borrowing(
    function: Callable[Parameters, Result], folders: Callable[[], CodeFolders] = code_folders
) -> Callable[Parameters, Result]:
    """Return the function as machine code that allocates nothing and counts no references to arrays.

    For what compiled functions call for every event: each slice, and each array out of a tuple, would cost two atomic
    operations. The caller holds the arrays. The function returns no array.
    """
    return _cached(cast(Any, _compile)(function, _nrt=False), function, folders)


def _cached(
    dispatcher: Any, function: Callable[Parameters, Result], folders: Callable[[], CodeFolders]
) -> Callable[Parameters, Result]:
    dispatcher._cache = _Cache(function, folders)  # noqa: SLF001  # numba has no way to choose the cache
    return cast("Callable[Parameters, Result]", dispatcher)
