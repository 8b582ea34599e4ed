"""The back-end for one row: closures. Start with ``conditions``."""
