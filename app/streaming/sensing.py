"""What Faust tells of its fetches, passed on to the worker's health."""

from typing import Any

from faust import Sensor
from faust.types import TP

from app.streaming.health import Health


class HealthSensor(Sensor):
    """Hears of every chunk that is given to the agent's queue."""

    def __init__(self, health: Health, topic: str) -> None:
        super().__init__()
        self._health = health
        self._topic = topic

    def on_message_in(self, tp: TP, offset: int, message: Any) -> None:  # noqa: ARG002  # Faust's signature
        if tp.topic == self._topic:
            self._health.fetched(tp.partition, offset)
