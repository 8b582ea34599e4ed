"""Refuses Parquet files whose pages unpack to more than a row group may have. The footer is not trusted: it may state less."""

import os
from collections import Counter
from collections.abc import Collection
from functools import partial
from pathlib import Path

from app.adapters.file_bounds import in_force, setting
from app.adapters.parquet_format.footer import StoredColumn, stored_columns
from app.adapters.parquet_format.pages import ReadAt, pages_of_file
from app.adapters.parquet_format.thrift import Malformed
from app.errors import InvalidFile


def refuse_large_pages(path: Path, columns: Collection[str]) -> None:
    """Raise InvalidFile if the pages of ``columns`` in a row group are too large together, or cannot be found.

    Arrow allocates what the header of a page says. The headers are read here first, a few kB of each page.
    """
    sizes: Counter[int] = Counter()
    with path.open("rb") as file:
        read_at: ReadAt = partial(_read_at, file.fileno())
        try:
            for stored in stored_columns(read_at, os.fstat(file.fileno()).st_size):
                if stored.name in columns:
                    _add_pages(path, read_at, stored, sizes)
        except Malformed as error:
            raise InvalidFile(f"{path} is no Parquet file that can be read: {error}") from error


def _add_pages(path: Path, read_at: ReadAt, stored: StoredColumn, sizes: Counter[int]) -> None:
    for page in pages_of_file(read_at, stored.begin, stored.end, stored.values):
        sizes[stored.row_group] += page.size
        if sizes[stored.row_group] > in_force().row_group_bytes:
            raise InvalidFile(
                f"{path}, row group {stored.row_group + 1}: its pages unpack to more than {setting('row_group_bytes')}; write the file "
                "with smaller row groups"
            )


def _read_at(descriptor: int, offset: int, most: int) -> bytes:
    return os.pread(descriptor, most, offset)
