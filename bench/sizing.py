"""The tables of docs/operate/sizing.md, made from the result files: `python -m bench.sizing`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.features.packed_words import WORD_BYTES
from app.features.state import HEADER_WORDS, NARROW_WORDS
from app.settings import Settings
from bench.pages import page
from bench.pages.page import Result, markdown

PAGE = Path(__file__).parents[1] / "docs" / "operate" / "sizing.md"
MIB = 1024 * 1024


def tables(found: Mapping[str, Result]) -> dict[str, str]:
    """Return the Markdown tables by the name of their placeholder."""
    made = {"settings": _settings()}
    if "memory" in found:
        rows = [row for row in found["memory"]["results"] if "steady" not in row]
        made |= {"memory": _memory(rows), "disk": _disk(rows), "brokers": _brokers(rows)}
    return made


def profile_bytes(events: int) -> int:
    """Return the profile size of a customer with ``events`` transactions in the last 31 days.

    >>> profile_bytes(100)
    2592
    """
    return WORD_BYTES * (HEADER_WORDS + NARROW_WORDS * events)


def _settings() -> str:
    worker = Settings.from_env({}).worker
    rows = [
        ("`FRAUDSTREAM_WORKER_PROFILE_CACHE_BYTES`", worker.profile_cache_bytes),
        ("`FRAUDSTREAM_WORKER_ROCKSDB_BLOCK_CACHE_BYTES`", worker.rocksdb_block_cache_bytes),
        ("`FRAUDSTREAM_WORKER_ROCKSDB_WRITE_BUFFERS_BYTES`", worker.rocksdb_write_buffers_bytes),
    ]
    total = sum(size for _, size in rows)
    return markdown(
        ("setting", "default MiB"), [(name, f"{size // MIB}") for name, size in [*rows, ("together", total)]]
    )


def _memory(rows: Sequence[Mapping[str, Any]]) -> str:
    names = ("rss_start_bytes", "rss_bytes", "pss_bytes", "rss_peak_bytes", "profile_cache_bytes")
    head = ("customers", "events each", "at start", "resident", "proportional", "peak", "cached profiles")
    return markdown(head, [(*_who(row), *(f"{row[name] / MIB:,.0f} MiB" for name in names)) for row in rows])


def _disk(rows: Sequence[Mapping[str, Any]]) -> str:
    head = ("customers", "events each", "profile, bytes", "disk per customer, bytes", "disk / profile")
    return markdown(
        head,
        [
            (
                *_who(row),
                f"{(size := profile_bytes(row['events_per_customer'])):,}",
                f"{(disk := row['disk_bytes_per_customer']):,.0f}",
                f"{disk / size:.2f}",
            )
            for row in rows
        ],
    )


def _brokers(rows: Sequence[Mapping[str, Any]]) -> str:
    """Show bytes per event as megabytes per million events."""
    names = list(rows[0]["topic_bytes_per_event"])
    head = ("customers", "events each", *names, "together")
    return markdown(
        head,
        [
            (*_who(row), *(f"{size:,.0f} MB" for size in (*sizes.values(), sum(sizes.values()))))
            for row in rows
            for sizes in [row["topic_bytes_per_event"]]
        ],
    )


def _who(row: Mapping[str, Any]) -> tuple[str, str]:
    return f"{row['customers']:,}", f"{row['events_per_customer']:,}"


def main() -> None:
    """Rewrite the tables of the page."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page.render(text, tables(page.load())), encoding="utf-8")


if __name__ == "__main__":
    main()
