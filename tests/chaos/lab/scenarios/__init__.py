"""All scenarios of the lab; importing a module registers its scenarios."""

from tests.chaos.lab.scenarios import database, late, pairs, rolling, single

__all__ = ["database", "late", "pairs", "rolling", "single"]
