"""A dead letter as a person or a program reads it at a terminal."""

from datetime import UTC, datetime

from app.adapters.topic_records.dead_letters import DeadLetter


def told(letter: DeadLetter) -> dict[str, object]:
    """What may be told of it: no value of the record."""
    return {
        "partition": letter.place.partition,
        "offset": letter.place.offset,
        "timestamp_ms": letter.timestamp_ms,
        "code": letter.code,
        "message": letter.message,
        "source_topic": letter.source_topic,
        "source_partition": letter.source.partition,
        "source_offset": letter.source.offset,
    }


def whole(letter: DeadLetter) -> dict[str, object]:
    """All of it, the record as well."""
    return told(letter) | {
        "key": _text(letter.key),
        "headers": [[name, _text(value)] for name, value in letter.headers],
        "value": _text(letter.value),
    }


def line(letter: DeadLetter) -> str:
    """What may be told of it, in one line."""
    time = datetime.fromtimestamp(letter.timestamp_ms / 1000, tz=UTC) if letter.timestamp_ms >= 0 else None
    when = f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else "-"
    return safe(
        f"{letter.place!s:<12} {when}  {letter.code or '?':<14} {letter.message}  "
        f"({letter.source_topic}:{letter.source})"
    )


def _text(value: bytes | None) -> str | None:
    """As text where it is text, else in hexadecimal."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"hex:{value.hex()}"


def safe(text: str) -> str:
    """A terminal obeys control characters; whoever sent the record must not command it."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )
