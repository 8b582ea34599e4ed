"""Reads and writes estimators as skops files: a zip of arrays and a schema that names types. Pickles are never opened.

What a file may hold is checked by ``checks.archive`` and ``checks.schema``; ``checks.estimators`` checks the estimator itself.
"""

import io
import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.adapters.library_errors import Translated
from app.adapters.models.checks import archive, schema
from app.adapters.models.checks.archive import Unpacked
from app.adapters.models.checks.limits import DEFAULT_LIMITS, Limits
from app.domain.words import named
from app.errors import BundleCorrupt

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold, used for every entry so that equal content gives equal bytes."""


def dumps(estimator: object) -> bytes:
    """The estimator's bytes; equal estimators give equal bytes."""
    import skops.io  # noqa: PLC0415  # with scikit-learn it takes two seconds; most workers score without

    source = zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator)))
    described = json.loads(source.read(archive.SCHEMA))
    renamed = _number_nodes(described)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as zipped:
        for old, new in renamed.items():
            _add(zipped, new, source.read(old))
        _add(zipped, archive.SCHEMA, json.dumps(described).encode())
    return target.getvalue()


def loads(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The estimator. Raises BundleCorrupt, before any object is created, when a type is not trusted or a limit is exceeded."""
    with _READING:
        found, described = _checked(data, limits)
        encoded = json.dumps(schema.with_own_ids(described)).encode()
        packed = archive.pack(found._replace(schema=encoded))
        import skops.io  # noqa: PLC0415  # see dumps

        with warnings.catch_warnings():
            # The manifest check reports another version of scikit-learn, and the golden rows test its effect.
            warnings.simplefilter("ignore")
            return skops.io.loads(packed, trusted=list(schema.TYPES))


@contextmanager
def parts(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Iterator["Parts"]:
    """The parts of the estimator, to be read while the context lasts. Raises BundleCorrupt as ``loads`` does."""
    with _READING:
        found, described = _checked(data, limits)
        yield Parts(described, found.arrays)


class Parts:
    """Attributes and arrays of the file. No class that it names is imported or created."""

    def __init__(self, node: Any, arrays: Mapping[str, bytes]) -> None:
        self._node = node
        self._arrays = arrays

    @property
    def kind(self) -> str:
        """The class with its module."""
        return f"{self._node['__module__']}.{self._node['__class__']}"

    def attribute(self, name: str) -> "Parts":
        """The value of an attribute of an object."""
        return Parts(self._node["content"]["content"][name], self._arrays)

    def items(self) -> "list[Parts]":
        """The items of a list."""
        return [Parts(item, self._arrays) for item in self._node["content"]]

    def array(self) -> NDArray[Any]:
        """An array of numbers or of records of numbers."""
        content = io.BytesIO(self._arrays[self._node["file"]])
        found: NDArray[Any] = np.lib.format.read_array(content, allow_pickle=False)
        return found


def _damaged(error: Exception) -> BundleCorrupt:
    return BundleCorrupt(f"the model is a skops file that is cut off or damaged ({named(error)})")


_READING = Translated(_damaged, BundleCorrupt)


def _checked(data: bytes, limits: Limits) -> tuple[Unpacked, Any]:
    """The content of the file and its schema, once sizes and types are found to be allowed."""
    found = archive.unpack(data, limits)
    described = schema.checked(found.schema)
    schema.check_native(described, found.headers)
    return found, described


def _number_nodes(described: Any) -> dict[str, str]:
    """Replace memory addresses, which differ from run to run, by numbers; return the files' new names."""
    numbers: dict[object, int] = {}
    files: dict[str, str] = {}
    for at, node in enumerate(schema.nodes(described)):
        if "__id__" in node:
            # Whether equal plain values share an object differs from run to run, so each gets a number of its own.
            key = ("plain", at) if node.get("__loader__") == "JsonNode" else node["__id__"]
            node["__id__"] = numbers.setdefault(key, len(numbers) + 1)
        if "file" in node:
            node["file"] = files.setdefault(node["file"], f"{len(files) + 1}.npy")
    return files


def _add(zipped: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = (
        3  # zipfile's default depends on the platform; equal estimators must give equal bytes
    )
    zipped.writestr(entry, content, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)
