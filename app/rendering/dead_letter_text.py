"""Dead letters as text and as JSON for a console."""

from app.adapters.topic_records.dead_letters import DeadLetter
from app.domain.clock import utc_text
from app.domain.safe_text import one_line

HEAD = f"{'POSITION':<12} {'TIME':<20}  {'CODE':<14} MESSAGE  (SOURCE)"
"""Names of the columns of ``as_line``."""


def as_dict(letter: DeadLetter) -> dict[str, object]:
    """The position, the source and the reason, without content of the record."""
    return {
        "partition": letter.position.partition,
        "offset": letter.position.offset,
        "timestamp_ms": letter.timestamp_ms,
        "code": letter.code,
        "message": letter.message,
        "source_topic": letter.source_topic,
        "source_partition": letter.source.partition,
        "source_offset": letter.source.offset,
    }


def as_dict_with_record(letter: DeadLetter) -> dict[str, object]:
    """As ``as_dict``, with the key, headers and value of the record."""
    return as_dict(letter) | {
        "key": _text(letter.key),
        "headers": [[name, _text(value)] for name, value in letter.headers],
        "value": _text(letter.value),
    }


def as_line(letter: DeadLetter) -> str:
    """One line with the position, time, reason and source, without content of the record."""
    when = utc_text(letter.timestamp_ms, "%Y-%m-%dT%H:%M:%SZ") if letter.timestamp_ms >= 0 else "-"
    return one_line(
        f"{letter.position!s:<12} {when}  {letter.code or '?':<14} {letter.message}  "
        f"({letter.source_topic}:{letter.source})"
    )


def _text(value: bytes | None) -> str | None:
    """Bytes as text where they are UTF-8, else in hexadecimal."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"hex:{value.hex()}"
