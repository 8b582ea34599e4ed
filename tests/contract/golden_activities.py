"""The activities whose bytes are kept in ``golden/``. ``python -m tests.contract.golden_activities`` writes what is missing.

A file that is there is never written again: it stands for the bytes in the stores of users.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from app.features.activity import LABEL, TRANSACTION, observe
from app.features.activity_bytes import VERSION
from tests.properties.activity_recount import DAY_MS, HOUR_MS, LOG, Fact, as_facts

DIRECTORY = Path(__file__).with_name("golden")
START_MS = 1_760_000_400_000
"""A full hour."""


def empty() -> Iterator[Fact]:
    yield from ()


def ordinary() -> Iterator[Fact]:
    """Seven weeks of a terminal, so that some is forgotten; from two partitions, with three labels, one reversed."""
    for number in range(56):
        time_ms = START_MS + number * 21 * HOUR_MS + number % 2
        yield Fact(0, TRANSACTION, time_ms, number, 0, False, 7 - 10 * (number % 2), number % 2, number)
    for number, days, is_fraud in ((40, 1, True), (41, 2, True), (40, 5, False)):
        time_ms = START_MS + number * 21 * HOUR_MS + number % 2
        yield Fact(0, LABEL, time_ms, number, time_ms + days * DAY_MS, is_fraud)


def only_labelled() -> Iterator[Fact]:
    """A label that came before its transaction."""
    yield Fact(0, LABEL, START_MS - 1, -1, START_MS + DAY_MS, is_fraud=True)


HISTORIES: dict[str, Callable[[], Iterator[Fact]]] = {
    "empty": empty,
    "ordinary": ordinary,
    "only-labelled": only_labelled,
}


def folded(name: str) -> bytes:
    """The activity as this release folds it."""
    facts = [fact._replace(offset=offset) for offset, fact in enumerate(HISTORIES[name]())]
    return observe([b""], as_facts(facts), LOG).states[0]


def path(name: str) -> Path:
    return DIRECTORY / f"activity-v{VERSION}-{name}.hex"


def read(name: str) -> bytes:
    return bytes.fromhex(path(name).read_text(encoding="ascii"))


if __name__ == "__main__":
    for missing in [name for name in HISTORIES if not path(name).exists()]:
        path(missing).write_text(folded(missing).hex("\n", 32) + "\n", encoding="ascii")
