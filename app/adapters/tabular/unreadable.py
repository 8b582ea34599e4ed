"""Why a file is not what its suffix says: empty, compressed, in another encoding. Each message has the remedy."""

from collections.abc import Collection
from pathlib import Path

from app.adapters.tabular.positions import csv_records
from app.errors import InvalidFile

_BEGINNINGS = {
    b"\x1f\x8b": "is compressed by gzip; decompress it first: gunzip",
    b"BZh": "is compressed by bzip2; decompress it first: bunzip2",
    b"\xfd7zXZ": "is compressed by xz; decompress it first: unxz",
    b"\x28\xb5\x2f\xfd": "is compressed by zstd; decompress it first: unzstd",
    b"PK\x03\x04": "is a ZIP archive or a workbook; extract the file, or export the sheet as CSV",
    b"PAR1": "is Parquet; give it the suffix .parquet",
    b"\xff\xfe": "is UTF-16, not UTF-8; convert it first: iconv -f UTF-16 -t UTF-8",
    b"\xfe\xff": "is UTF-16, not UTF-8; convert it first: iconv -f UTF-16 -t UTF-8",
}
_SAMPLE_BYTES = 512
NOT_UTF8 = "is not UTF-8; convert the file first, for example from Latin-1: iconv -f LATIN1 -t UTF-8"


def refuse_other_format(path: Path, *, may_be_empty: bool) -> None:
    """Raise InvalidFile for a text file that is compressed, UTF-16, binary, or empty where it must not be."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    if not sample.strip(b"\r\n") and not may_be_empty:
        raise InvalidFile(f"{path} is empty: not even a header with the names of columns")
    for beginning, what in _BEGINNINGS.items():
        if sample.startswith(beginning):
            raise InvalidFile(f"{path} {what}")
    if sample.count(b"\0") * 4 > len(
        sample
    ):  # every second byte of Latin text in UTF-16; a single NUL is a character
        raise InvalidFile(
            f"{path} is UTF-16 or binary, not UTF-8; convert it first: iconv -f UTF-16 -t UTF-8"
        )


def undecodable_text(path: Path, columns: Collection[str]) -> InvalidFile | None:
    """The error for the first value of these CSV columns that is not UTF-8; None where there is none."""
    names: list[str] = []
    for line, values in csv_records(path):
        names = names or [repaired(value) for value in values]
        for name, value in zip(names, values, strict=False):
            if name in columns and not is_utf8(value.encode("latin-1")):
                return InvalidFile(f"{path}, line {line}, column `{name}`: {NOT_UTF8}")
    return None


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def repaired(name: str) -> str:
    """Text that was decoded as Latin-1 as the UTF-8 that it is."""
    return name.encode("latin-1").decode("utf-8-sig", errors="replace")
