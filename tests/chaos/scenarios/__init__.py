"""Every scenario, registered by being imported."""

from tests.chaos.scenarios import brokers, topics, workers

__all__ = ["brokers", "topics", "workers"]
