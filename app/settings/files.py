"""The groups FILES and MAPPING."""

from typing import Annotated

from msgspec import Meta

from app.settings.kinds import MIB, Group


class FileSettings(Group, frozen=True, kw_only=True):
    """Bounds on files of transactions and labels that commands read; docs/data/damaged-input.md#bounds."""

    line_bytes: Annotated[int, Meta(ge=1024, le=256 * MIB)] = MIB
    """Longest line of JSON, and longest record of CSV with the line breaks in its quotes; one of CSV may be twice as long. A file
    with a longer one is refused."""
    batch_bytes: Annotated[int, Meta(ge=MIB, le=1024 * MIB)] = 64 * MIB
    """Bytes of text that are in memory at once. A file is read in batches of 50,000 rows, or of as many as this allows."""
    row_group_bytes: Annotated[int, Meta(ge=MIB, le=64 * 1024 * MIB)] = 1024 * MIB
    """Largest size to which a row group of Parquet unpacks, as the file states it. A file with a larger one is refused: write it
    with smaller row groups."""


class MappingSettings(Group, frozen=True, kw_only=True):
    """Column mappings of files and tables; docs/data/mappings.md."""

    token_key_file: str = ""
    """File with the secret of keyed tokens, at least 16 bytes; only mappings with `token = true` need it. The same key gives the
    same tokens: all commands and workers need the same one, and a new key makes new customers."""
