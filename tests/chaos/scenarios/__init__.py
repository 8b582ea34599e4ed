"""All scenarios; importing a module registers its scenarios."""

from tests.chaos.scenarios import brokers, disks, events, garbage_at_rate, models, topics, workers

__all__ = ["brokers", "disks", "events", "garbage_at_rate", "models", "topics", "workers"]
