"""Comparisons with scikit-learn, kept on disk so that the next worker with the same model need not import it.

The import of scikit-learn, scipy and skops takes longer than the rest of a worker's start, and a boosted model is scored
without them. So the first load of a bundle on a machine, which compares machine code with scikit-learn (``backends``),
stores the rows it compared and scikit-learn's scores of them. Each later load scores the same rows by its own machine code
and holds them against these scores: the same rows, the same tolerance, the same outcomes as with scikit-learn at hand. The
golden rows are among them, with the scores of the bundle's file, which need not be parsed again then. What
is not repeated is scikit-learn's own work and the measurement of which back-end is faster; both depend on nothing but the
key: the bundle's digest, the versions of the libraries, the processor, and the source files that read, compare and score.

A comparison is stored only if scikit-learn is not needed to score, and if the columns read from the file without skops
equal those of the estimator that skops loaded. A comparison that is missing, damaged or not reproduced is made again.

The files need no signature: they are next to the machine code (``app.features.compiled``), and a program that can write there
could replace the machine code too.
"""

import io
import os
import platform
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import llvmlite.binding
import msgspec
import numpy as np

from app.adapters.models.backends import BackendChoice, BackendName
from app.scoring import trees
from app.scoring.model import Rows, Scores

_LIBRARIES = ("scikit-learn", "scipy", "skops", "numpy", "numba", "llvmlite")
_SOURCES = (Path(__file__).parent, Path(trees.__file__).parent)
_NAME = "compared"
_MOST_FILES = 32
_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, msgspec.MsgspecError)


class Comparison(NamedTuple):
    """The rows that were compared with their scores, and the back-end chosen."""

    rows: Rows
    scores: Scores
    """By scikit-learn, on this machine."""
    golden_scores: Scores
    """Of the first of these rows, which are the golden ones: the scores that the bundle's file has."""
    by_batch: dict[int, BackendName]
    micros: dict[BackendName, dict[int, float]]


class _Choice(msgspec.Struct, frozen=True, kw_only=True):
    by_batch: dict[int, BackendName]
    micros: dict[BackendName, dict[int, float]]


class Comparisons:
    """The comparisons in a folder, of which the newest are kept. ``others`` are folders that are only read."""

    def __init__(self, folder: Path | None, others: Iterable[Path] = ()) -> None:
        self._folder = folder and folder / _NAME
        self._read = tuple(other / _NAME for other in (*([folder] if folder else []), *others))

    def find(self, digest: str, wanted: BackendChoice) -> Comparison | None:
        """Of the bundle whose manifest has this digest, with the same setting of the back-end."""
        name = _file_name(digest, wanted)
        return next(filter(None, (_read(folder / name) for folder in self._read)), None)

    def store(self, digest: str, wanted: BackendChoice, made: Comparison) -> None:
        """Write a comparison atomically. Errors are ignored: without a file the next load compares again."""
        if self._folder is None:
            return
        choice = _Choice(by_batch=made.by_batch, micros=made.micros)
        path = self._folder / _file_name(digest, wanted)
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                encoded = np.frombuffer(msgspec.json.encode(choice), np.uint8)
                np.savez(
                    file, rows=made.rows, scores=made.scores, golden_scores=made.golden_scores, choice=encoded
                )
            unfinished.replace(path)
            for old in sorted(self._folder.iterdir(), key=lambda file: -file.stat().st_mtime)[_MOST_FILES:]:
                old.unlink(missing_ok=True)


def _read(path: Path) -> Comparison | None:
    try:
        content = io.BytesIO(path.read_bytes())
        with np.load(content, allow_pickle=False) as found:
            choice = msgspec.json.decode(found["choice"].tobytes(), type=_Choice)
            return Comparison(
                rows=found["rows"],
                scores=found["scores"],
                golden_scores=found["golden_scores"],
                by_batch=choice.by_batch,
                micros=choice.micros,
            )
    except _DAMAGED:
        return None


def _file_name(digest: str, wanted: BackendChoice) -> str:
    named = f"{digest}\n{wanted}\n{_surroundings()}"
    return f"{sha256(named.encode()).hexdigest()[:32]}.npz"


def _surroundings() -> str:
    """Everything besides the bundle that a comparison depends on."""
    sources = sha256()
    for folder in _SOURCES:
        for path in sorted(folder.rglob("*.py")):
            sources.update(path.read_bytes())
    versions = [f"{library} {version(library)}" for library in _LIBRARIES]
    processor = llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features().flatten()
    return "\n".join([sources.hexdigest(), platform.python_version(), *versions, *processor])
