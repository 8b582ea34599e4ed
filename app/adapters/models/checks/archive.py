"""Unpacks a model file, a zip of arrays and a schema, and packs what was checked for skops.

Every size is checked before it is allocated: the number of entries, what each unpacks to, the elements that an array claims,
and the values in the schema. skops reads a new archive of the checked bytes, so that it cannot find others in the file.
"""

import io
import math
import re
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from app.adapters.models.checks.limits import Limits
from app.errors import BundleCorrupt

SCHEMA = "schema.json"
_ZIP = b"PK"
_ENTRY = b"PK\x01\x02"
"""Begin of each entry in the directory of a zip."""
MOST_ENTRIES = 50_000
"""Entries, of which zipfile makes an object of 1 kB each; a forest of 5,000 trees has 25,000."""
MOST_SCHEMA_BYTES = 16 * 1024 * 1024
"""A forest of 2,000 trees has 14 MB."""
MOST_SCHEMA_VALUES = 1_000_000
"""Values in the schema: each becomes an object of some 100 bytes, also where it takes one byte of the file."""
MOST_HEADER_BYTES = 4_096
"""Header of an array: shape and type; the longest, of tree nodes, has 300."""
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""The other methods allocate what the file claims."""
_ENCRYPTED = 0x1
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}\.npy")


class Header(NamedTuple):
    """What an array says of itself."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def nodes(self) -> int:
        """The number of nodes of a tree: only they are records."""
        return math.prod(self.shape) if self.dtype.names else 0


class Unpacked(NamedTuple):
    """The content of a model file."""

    schema: bytes
    arrays: Mapping[str, bytes]
    """By the name of the entry: the bytes of an .npy file, which hold as many elements as their header says."""
    headers: Mapping[str, Header]


def unpack(data: bytes, limits: Limits) -> Unpacked:
    """Unpack within the limits. Raises BundleCorrupt, or an error of ``zipfile``, ``zlib`` or NumPy where data is damaged."""
    if not data.startswith(_ZIP):
        raise BundleCorrupt("the model is not a skops file; a pickle is never opened")
    if data.count(_ENTRY) > MOST_ENTRIES:
        raise BundleCorrupt(f"the model holds more than {MOST_ENTRIES:,} files")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        _check_entries(entries, limits)
        # zipfile stops reading an entry at its declared size.
        files = {entry.filename: archive.read(entry) for entry in entries}
    schema = files.pop(SCHEMA, b"")
    if sum(map(schema.count, (b"{", b"[", b","))) > MOST_SCHEMA_VALUES:
        raise BundleCorrupt(f"the schema of the model holds more than {MOST_SCHEMA_VALUES:,} values")
    headers = {name: _checked_header(content) for name, content in files.items()}
    nodes = sum(header.nodes for header in headers.values())
    if nodes > limits.tree_nodes:
        raise BundleCorrupt(
            f"the trees of the model have {nodes:,} nodes, allowed are {limits.tree_nodes:,} (FRAUDSTREAM_MODEL_MAX_TREE_NODES)"
        )
    return Unpacked(schema, files, headers)


def pack(unpacked: Unpacked) -> bytes:
    """The archive that skops reads."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(SCHEMA, unpacked.schema)
        for name, content in unpacked.arrays.items():
            archive.writestr(name, content)
    return target.getvalue()


def _check_entries(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len({entry.filename for entry in entries}) != len(entries):
        raise BundleCorrupt("the model holds two files of one name")
    for entry in entries:
        if entry.filename != SCHEMA and not _NAME.fullmatch(entry.filename):
            raise BundleCorrupt("the model holds files that are neither numbers nor the schema")
        if entry.compress_type not in _METHODS or entry.flag_bits & _ENCRYPTED:
            raise BundleCorrupt(
                "the model holds a file that is encrypted or compressed by another method than DEFLATE"
            )
        if entry.filename == SCHEMA and entry.file_size > MOST_SCHEMA_BYTES:
            raise BundleCorrupt(f"the schema of the model unpacks to more than {MOST_SCHEMA_BYTES:,} bytes")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limits.bundle_bytes:
        raise BundleCorrupt(
            f"the model unpacks to {unpacked:,} bytes, allowed are {limits.bundle_bytes:,} (FRAUDSTREAM_MODEL_MAX_BUNDLE_BYTES)"
        )


def _checked_header(content: bytes) -> Header:
    """The header of an array. Raises BundleCorrupt unless the array has the elements that it claims."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise BundleCorrupt("the model holds an array of an unknown format")
    shape, _, dtype = read_header(file, max_header_size=MOST_HEADER_BYTES)
    # An element without bytes would let an array of any length take none.
    if dtype.hasobject or not dtype.itemsize or min(shape, default=0) < 0:
        raise BundleCorrupt("the model holds an array of objects, or of elements without content")
    if math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise BundleCorrupt("the model holds an array that is shorter or longer than it claims")
    # NumPy adds the bytes of truth values to know how many are true, and writes that many indexes.
    if dtype.kind == "b" and max(content[file.tell() :], default=0) > 1:
        raise BundleCorrupt("the model holds truth values that are neither true nor false")
    return Header(shape, dtype)
