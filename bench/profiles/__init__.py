"""Cost of the fold of a catalog: ``python -m bench.profiles``."""
