"""Mutants: workers without one part of the guarantee. Each must be found by a scenario.

``faust -A tests.chaos.mutants.NAME``. ``python -m tests.chaos.mutants`` runs each in the scenario
that must find it and writes ``tests/chaos/results/mutants.json``.
"""

from typing import Any


def sabotage(owner: Any, name: str, by: Any) -> None:
    """Replace a part of the service."""
    setattr(owner, name, by)
