"""Computes the next item of an iterable in a thread."""

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def prefetch(items: Iterable[T]) -> Generator[T, None, None]:
    """The same items in the same order; the next one is computed in a thread while the caller uses this one."""
    iterator = iter(items)

    def following() -> list[T]:
        """The next item in a list, which is empty at the end: no value of an item can be mistaken for the end."""
        return list(islice(iterator, 1))

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch") as pool:
        coming = pool.submit(following)
        while found := coming.result():
            coming = pool.submit(following)
            yield from found
