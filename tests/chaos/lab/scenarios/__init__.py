"""All scenarios of the lab; importing a module registers its scenarios."""

from tests.chaos.lab.scenarios import late, pairs, rolling, single

__all__ = ["late", "pairs", "rolling", "single"]
