"""Memory, load, import and lookup of lists: ``python -m bench.lists``."""
