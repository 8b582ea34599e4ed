"""Time of conditions in both back-ends: ``python -m bench.expressions``."""
