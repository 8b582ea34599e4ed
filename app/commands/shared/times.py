"""Options that take a time: ISO 8601, UTC unless it names another time zone."""

from datetime import UTC, datetime
from typing import Any

import typer


def parse(text: str | datetime) -> datetime:
    """Parse a time. Raises ValueError when the text is not ISO 8601."""
    given = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def time_option(meaning: str, *names: str) -> Any:
    """An option for a time; without names it has the name of the parameter."""
    return typer.Option(*names, parser=parse, metavar="TIME", help=f"{meaning} ISO 8601, UTC.")


def milliseconds(time: datetime | None) -> int | None:
    """Convert to milliseconds since the epoch."""
    return None if time is None else int(time.timestamp() * 1000)
