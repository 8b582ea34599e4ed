"""Workers with one part of the guarantee taken out: each must be found by a scenario, or the scenarios are too weak.

``faust -A tests.chaos.mutants.NAME``. ``python -m tests.chaos.mutants`` runs each through the scenario that is meant
for it and writes ``tests/chaos/results/mutants.json``.
"""

from typing import Any


def sabotage(owner: Any, name: str, by: Any) -> None:
    """Replace a part of the service."""
    setattr(owner, name, by)
