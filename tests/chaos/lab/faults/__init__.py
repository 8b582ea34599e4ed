"""Faults between machines; importing a module registers its faults."""

from tests.chaos.lab.faults import cuts, links, machines, workers

__all__ = ["cuts", "links", "machines", "workers"]
