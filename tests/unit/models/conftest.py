"""Fixtures of the tests of models."""

from collections.abc import Iterator

import pytest
import threadpoolctl


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Numerical libraries use one thread, as in a worker."""
    with threadpoolctl.threadpool_limits(1):
        yield
