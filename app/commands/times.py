"""Times as options take them: ISO 8601, in UTC where nothing else is said."""

from datetime import UTC, datetime
from typing import Any

import typer


def parse(text: str | datetime) -> datetime:
    """Raises ValueError for what is no time."""
    given = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def time_option(meaning: str) -> Any:
    return typer.Option(parser=parse, metavar="TIME", help=f"{meaning} ISO 8601, UTC.")


def milliseconds(time: datetime | None) -> int | None:
    """Since the epoch."""
    return None if time is None else int(time.timestamp() * 1000)
