"""The files in a model's archive, and its schema as bytes that can be replaced."""

import io
import zipfile
import zlib

SCHEMA = "schema.json"
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    ValueError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def schema_of(model: bytes) -> bytes:
    """The schema, or the whole archive where it cannot be read."""
    try:
        return unpacked(model)[SCHEMA]
    except _UNREADABLE:
        return model


def with_schema(model: bytes, schema: bytes) -> bytes:
    """The archive with another schema, or these bytes in place of an archive that cannot be read."""
    try:
        return packed(unpacked(model) | {SCHEMA: schema})
    except _UNREADABLE:
        return schema
