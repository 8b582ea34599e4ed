"""What Faust tells about the group and its fetches, passed on to the worker's health."""

from typing import Any

from faust import Sensor
from faust.types import TP

from app.streaming.health import Health


class HealthSensor(Sensor):
    """Hears of every chunk given to the agent's queue, and of every rebalance."""

    def __init__(self, health: Health, topic: str) -> None:
        super().__init__()
        self._health = health
        self._topic = topic

    def on_message_in(self, tp: TP, offset: int, message: Any) -> None:  # noqa: ARG002  # Faust's signature
        if tp.topic == self._topic:
            self._health.fetched(tp.partition, offset)

    def on_rebalance_start(self, app: Any) -> dict[str, Any]:  # noqa: ARG002  # as above
        """Called in the Kafka client's thread."""
        self._health.rebalancing()
        return {}

    def on_rebalance_end(self, app: Any, state: dict[str, Any]) -> None:  # noqa: ARG002  # as above
        """Faust ends a rebalance only after the restore."""
        owned = [tp for tp in app.consumer.assignment() if tp.topic == self._topic]
        self._health.restored(len(owned))
