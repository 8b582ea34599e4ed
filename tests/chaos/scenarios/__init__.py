"""Every scenario, registered by being imported."""

from tests.chaos.scenarios import brokers, disks, events, models, topics, workers

__all__ = ["brokers", "disks", "events", "models", "topics", "workers"]
