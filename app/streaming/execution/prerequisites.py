"""Answers from outside that a chunk needs before it can be computed."""

from typing import Protocol

from app.processing.chunk import Chunk


class Prerequisites(Protocol):
    """Of the chunks of one chunk runner. ``provider`` names the service that answers, for the health endpoints."""

    provider: str

    def are_met(self, chunk: Chunk) -> bool:
        """True when the chunk can be computed now."""
        ...

    async def request(self, chunk: Chunk) -> bool:
        """Request the missing answers; False when the provider did not answer."""
        ...


class NoPrerequisites:
    """Every chunk can be computed at once."""

    provider = ""

    def are_met(self, _: Chunk) -> bool:
        return True

    async def request(self, _: Chunk) -> bool:
        return True
