"""A fault begins, lasts, and is undone. Scenarios use one of them, pairs two at once."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

from tests.chaos.lab.equipment import LabPart
from tests.chaos.lab.lab_run import LabRun, Way
from tests.chaos.lab.network import Host

Begun = Callable[[LabRun], AbstractAsyncContextManager[None]]


class Fault(NamedTuple):
    """What happens, for how long, and what of the lab it needs."""

    name: str
    declared: str
    seconds: float
    begin: Begun
    needs: frozenset[LabPart]
    says: str
    """What a worker's log says of it when it comes alone; empty: nothing in particular."""


FAULTS: dict[str, Fault] = {}


def fault(
    declared: str, seconds: float, *needs: LabPart, says: str = ""
) -> Callable[[Callable[[LabRun], AsyncIterator[None]]], Begun]:
    """Register a fault under its function's name; it lasts ``seconds``."""

    def register(begin: Callable[[LabRun], AsyncIterator[None]]) -> Begun:
        managed = asynccontextmanager(begin)
        FAULTS[begin.__name__] = Fault(begin.__name__, declared, seconds, managed, frozenset(needs), says)
        return managed

    return register


@asynccontextmanager
async def during_cut(
    run: LabRun, ones: list[Host], others: list[Host], way: Way = "both", *, reset: bool = False
) -> AsyncIterator[None]:
    """Cut hosts off for the duration of the block."""
    cuts = run.cut(ones, others, way, reset=reset)
    yield
    run.mend(cuts)
