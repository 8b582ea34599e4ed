"""Writes every schema in every format: ``python -m app.adapters.serde.published_schemas docs/schemas``."""

import sys
from pathlib import Path

from app.adapters.serde import avro_schemas, json_schemas, protobuf_schemas


def documents() -> dict[str, str]:
    """The text of every schema by file name."""
    return json_schemas.documents() | avro_schemas.documents() | protobuf_schemas.documents()


def main(directory: Path) -> None:
    """Write every schema into ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
