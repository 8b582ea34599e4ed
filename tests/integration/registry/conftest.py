"""Kafka, Redis and the registry for the tests of a module."""

import os
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.local import stack as local_stack
from app.local.state import Stack


@pytest.fixture(scope="module")
def registered_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Kafka, Redis and the registry, as `fraudstream stack up --with registry` starts them."""
    directory = tmp_path_factory.mktemp("registry") / "stack"
    try:
        result = CliRunner().invoke(
            app,
            [
                "stack",
                "up",
                "--with",
                "registry",
                "--dir",
                str(directory),
                "--while",
                str(os.getpid()),
                "--json",
            ],
        )
        assert result.exit_code == 0, result.output
        started = local_stack.status(directory)
        assert started is not None
        yield started
    finally:
        local_stack.stop(directory)
