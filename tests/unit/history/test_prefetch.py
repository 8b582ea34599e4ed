"""prefetch yields the same items as its source, one item ahead in a thread."""

import threading
from collections.abc import Iterator
from itertools import islice

import pytest

from app.history.prefetch import prefetch


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("prefetch")]


@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_the_items_keep_their_order(count: int) -> None:
    assert list(range(count)) == list(prefetch(range(count)))


def test_none_is_a_valid_item() -> None:
    assert [None, 0, None] == list(prefetch([None, 0, None]))


def test_an_exception_is_raised_at_its_position() -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("the third")

    found: list[int] = []
    with pytest.raises(LookupError, match="the third"):
        found.extend(prefetch(broken()))

    assert [1, 2] == found
    assert [] == threads()


def test_an_exception_before_the_first_item_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        next(prefetch(1 // number for number in range(3)))


def test_the_next_item_is_produced_while_the_current_one_is_used() -> None:
    second = threading.Event()

    def made() -> Iterator[int]:
        yield 1
        second.set()
        yield 2

    items = prefetch(made())

    assert 1 == next(items)
    assert second.wait(timeout=60)
    assert [2] == list(items)


def test_at_most_one_item_is_produced_ahead() -> None:
    made = []

    def counted() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            yield number

    items = prefetch(counted())
    assert [0, 1] == list(islice(items, 2))
    items.close()  # waits for the item in production

    assert [0, 1, 2] == made


def test_leaving_the_loop_ends_the_thread() -> None:
    for item in prefetch(range(10)):
        if item == 3:
            break

    assert [] == threads()
