"""What Faust tells of its fetches, passed on to the worker's health."""

from typing import Any

from faust import Sensor
from faust.types import TP

from app.streaming.monitoring.health import Health, Lanes


class HealthSensor(Sensor):
    """Hears of every chunk that is given to the agent's queue."""

    def __init__(self, health: Health, lanes: Lanes) -> None:
        super().__init__()
        self._health = health
        self._lanes = lanes

    def on_message_in(self, tp: TP, offset: int, message: Any) -> None:  # noqa: ARG002  # Faust's signature
        if tp.topic in self._lanes.topics:
            self._health.fetched(self._lanes.of(tp.topic, tp.partition), offset)
