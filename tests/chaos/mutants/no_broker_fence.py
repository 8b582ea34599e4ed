"""M7: each owner of a changelog partition has a producer id of its own, so that brokers accept a former owner's late writes, and
a restore does not append overtaken versions again.
"""

from typing import Any

from app.adapters.kafka.producer_ids import ProducerIds
from app.streaming.state import recovery
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]


async def take_over(ids: ProducerIds, _: str) -> Any:
    """Return an identity that ends no other."""
    return await ids.new()


async def append_nothing(*_: Any) -> None:
    """Leave the changelog as it is."""


sabotage(ProducerIds, "take_over", take_over)
sabotage(recovery, "append_again", append_nothing)
