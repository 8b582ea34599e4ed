"""The profiles whose bytes are kept in ``golden/``. ``python -m tests.contract.golden_profiles`` writes what is missing.

A file that is there is never written again: it stands for the bytes in the stores of users.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from app.domain.transaction import Transaction
from app.features.columns import events
from app.features.fold import fold
from app.features.state import VERSION
from app.features.window import DAY_MS, HOUR_MS, Bounds

DIRECTORY = Path(__file__).with_name("golden")
BOUNDS = Bounds(allowed_lateness_ms=DAY_MS, max_events=4096)
START_MS = 1_760_000_000_000
TOPIC_ID = 0x0123456789ABCDEF


def transaction(
    number: int, time_ms: int, amount: int, latitude: float | None = None, longitude: float | None = None
) -> Transaction:
    return Transaction(
        transaction_id=f"t{number}",
        customer_id="c1",
        terminal_id=f"m{number % 3}",
        event_time=time_ms,
        amount_minor=amount,
        currency="EUR",
        latitude=latitude,
        longitude=longitude,
    )


def empty() -> Iterator[Transaction]:
    yield from ()


def ordinary() -> Iterator[Transaction]:
    """Five weeks, so that some events have left their windows; one out of order."""
    for number in range(40):
        yield transaction(number, START_MS + number * 22 * HOUR_MS, 100 + number)
    yield transaction(40, START_MS + 39 * 22 * HOUR_MS - HOUR_MS, 7)


def wide() -> Iterator[Transaction]:
    """Amounts beyond 32 bits, times more than 2**32 ms apart, and a place."""
    yield transaction(1, START_MS - 50 * DAY_MS, 10**15, latitude=48.137, longitude=11.575)
    yield transaction(2, START_MS, 2**32)
    yield transaction(3, START_MS - 20 * HOUR_MS, 5)


HISTORIES: dict[str, Callable[[], Iterator[Transaction]]] = {
    "empty": empty,
    "ordinary": ordinary,
    "wide": wide,
}


def folded(name: str) -> bytes:
    """The profile as this release folds it."""
    history = list(HISTORIES[name]())
    arrived = events(history, [0] * len(history), range(len(history)))
    return fold([b""], arrived, BOUNDS, TOPIC_ID).profiles[0]


def path(name: str, version: int = VERSION) -> Path:
    return DIRECTORY / f"profile-v{version}-{name}.hex"


def read(name: str, version: int = VERSION) -> bytes:
    return bytes.fromhex(path(name, version).read_text(encoding="ascii"))


if __name__ == "__main__":
    DIRECTORY.mkdir(exist_ok=True)
    for missing in [name for name in HISTORIES if not path(name).exists()]:
        path(missing).write_text(folded(missing).hex("\n", 32) + "\n", encoding="ascii")
