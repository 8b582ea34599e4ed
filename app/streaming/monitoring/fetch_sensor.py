"""Reports each fetched chunk to the health of the worker."""

from typing import Any

from faust import Sensor
from faust.types import TP

from app.streaming.monitoring.health import Health, PartitionNames


class FetchSensor(Sensor):
    """Called by Faust for every chunk that enters an agent's queue."""

    def __init__(self, health: Health, partition_names: PartitionNames) -> None:
        super().__init__()
        self._health = health
        self._partition_names = partition_names

    def on_message_in(self, tp: TP, offset: int, message: Any) -> None:  # noqa: ARG002  # Faust's signature
        if tp.topic in self._partition_names.topics:
            self._health.fetched(self._partition_names.of(tp.topic, tp.partition), offset)
