"""What a chunk needs from elsewhere before it can be computed."""

from typing import Protocol

from app.processing.chunk import Chunk


class Prerequisites(Protocol):
    """For chunks of one line. ``whom`` is asked: the name that the health gives it."""

    whom: str

    def are_met(self, chunk: Chunk) -> bool:
        """Whether the chunk can be computed now."""
        ...

    async def ask(self, chunk: Chunk) -> bool:
        """Ask for what is missing; False when there was no answer."""
        ...


class NoPrerequisites:
    """Every chunk can be computed at once."""

    whom = ""

    def are_met(self, _: Chunk) -> bool:
        return True

    async def ask(self, _: Chunk) -> bool:
        return True
