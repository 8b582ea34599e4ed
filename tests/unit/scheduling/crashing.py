"""Tests that `test_crashes` runs in a pytest of its own; one of them ends its process."""

import os

import pytest


@pytest.mark.parametrize("number", range(12))
def test_one(number: int) -> None:
    if number == int(os.environ["CRASHES_AT"]):
        os._exit(1)
